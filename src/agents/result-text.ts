import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { getPath } from '../lib/json.ts';
import type { JsonValue } from '../types.ts';

/** Most of a result that is kept, in characters (of a file: bytes). */
const RESULT_LIMIT = 1_000_000;

/** Lines as they come, of which the last `RESULT_LIMIT` characters are kept. */
interface Collected {
  add(line: string): void;
  text(): string;
}

export function collectLines(): Collected {
  const lines: string[] = [];
  let length = 0;
  return {
    add(line) {
      lines.push(line);
      length += line.length + 1;
      while (length > RESULT_LIMIT && lines.length > 1) length -= (lines.shift()?.length ?? 0) + 1;
    },
    text: () => lines.join('\n').slice(-RESULT_LIMIT),
  };
}

/** The text of a file that a program was to write; null when there is none. A link is not followed. */
export async function readResultFile(path: string): Promise<string | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch(() => null);
  if (handle === null) return null;
  try {
    if (!(await handle.stat()).isFile()) return null;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(RESULT_LIMIT), 0, RESULT_LIMIT, 0);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await handle.close();
  }
}

/** JSON in a text: the whole of it, else its last line (JSON lines). Undefined when neither is JSON. */
export function parseOutput(text: string): JsonValue | undefined {
  const lastLine = text.trimEnd().split('\n').at(-1) ?? '';
  for (const candidate of [text, lastLine]) {
    try {
      return JSON.parse(candidate) as JsonValue;
    } catch {
      // The next one, or none.
    }
  }
  return undefined;
}

/** A value as text: a text as it is, anything else as JSON; null when there is none. */
export function textAt(value: JsonValue | undefined, path: string): string | null {
  const found = getPath(value, path.split('.'));
  if (found === undefined || found === null) return null;
  return typeof found === 'string' ? found : JSON.stringify(found);
}

/** A number from 0; null when there is none. */
export function numberAt(value: JsonValue | undefined, path: string | undefined): number | null {
  const found = path === undefined ? undefined : getPath(value, path.split('.'));
  return typeof found === 'number' && Number.isFinite(found) && found >= 0 ? found : null;
}
