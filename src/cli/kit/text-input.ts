import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as readStream } from 'node:stream/consumers';
import { messageOf, usageError } from '../../errors.ts';
import type { Services } from '../../services.ts';

/** A long text, as an option gives it: as it stands, or by the name of its file. */
interface TextInput {
  /** The option, for messages: `--result`. */
  readonly option: string;
  readonly text: string | undefined;
  /** `-` reads standard input. */
  readonly file: string | undefined;
}

/** The text; null when neither is given. Throws `usage` when both are, or the file can't be read. */
export async function readText(app: Services, { option, text, file }: TextInput): Promise<string | null> {
  if (text !== undefined && file !== undefined) {
    throw usageError(`${option} and ${option}-file say the same: give one of them`);
  }
  if (file === undefined) return text ?? null;
  if (file === '-') return readStream(app.stdin);
  const path = resolve(app.cwd, file);
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw usageError(`can't read ${path}: ${messageOf(error)}`);
  });
}
