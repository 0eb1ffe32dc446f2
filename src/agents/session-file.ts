import { constants } from 'node:fs';
import { glob, open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../types.ts';
import { readEvent } from './events.ts';
import type { RunOrder } from './runner.ts';

/** A longer line is no count of tokens. */
const LONGEST_LINE = 1_000_000;
const CHUNK = 256 * 1024;

/** Where a program keeps its files: in the agent's home of a sandbox, else where a variable or the user's home leads. */
export function programFolder(
  { env, sandbox }: Pick<RunOrder<unknown>, 'env' | 'sandbox'>,
  variable: string,
  usual: string,
): string {
  const named = sandbox === null ? env[variable] : undefined;
  return named ?? join(env.HOME ?? homedir(), usual);
}

interface SessionFile {
  readonly folder: string;
  /** Of the session's files, below the folder; null while the session is not known. */
  readonly pattern: () => string | null;
  /** Lines without it are skipped. */
  readonly mark: string;
  readonly take: (event: JsonObject) => void;
}

/**
 * Codex, Gemini and Copilot say in their output only when they end what they used; the files of their sessions say it after
 * each answer of the model. Returns a function that takes the lines which are new since it was last called.
 */
export function followSession({ folder, pattern, mark, take }: SessionFile): () => Promise<void> {
  const seen = new Map<string, { offset: number; rest: Buffer }>();

  async function readNew(path: string): Promise<void> {
    const at = seen.get(path) ?? { offset: 0, rest: Buffer.alloc(0) };
    seen.set(path, at);
    // In a sandbox the agent could put anything there: a pipe that never answers, a link.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      if (!(await file.stat()).isFile()) return;
      for (;;) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK), 0, CHUNK, at.offset);
        if (bytesRead === 0) return;
        at.offset += bytesRead;
        const text = Buffer.concat([at.rest, buffer.subarray(0, bytesRead)]);
        const end = text.lastIndexOf(0x0a) + 1;
        for (const line of text.subarray(0, end).toString('utf8').split('\n')) takeLine(line);
        at.rest = text.length - end > LONGEST_LINE ? Buffer.alloc(0) : text.subarray(end);
      }
    } finally {
      await file.close();
    }
  }

  function takeLine(line: string): void {
    const event = line.includes(mark) ? readEvent(line) : null;
    if (event !== null) take(event);
  }

  return async () => {
    const wanted = pattern();
    if (wanted === null) return;
    for await (const name of glob(wanted, { cwd: folder })) {
      await readNew(join(folder, name)).catch(() => undefined);
    }
  };
}
