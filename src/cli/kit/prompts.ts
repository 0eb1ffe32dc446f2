import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text as readStream } from 'node:stream/consumers';
import { messageOf, usageError } from '../../errors.ts';
import type { Services } from '../../services.ts';

/** Whether a person can answer on a terminal. */
export function canAsk({ io, stdin }: Services): boolean {
  return io.err.isTerminal && stdin.isTTY === true;
}

/** Asks a yes-or-no question; an empty answer means no. */
export async function agrees({ io, stdin }: Services, question: string): Promise<boolean> {
  const output = new Writable({
    write(chunk, _encoding, done) {
      io.err.write(String(chunk));
      done();
    },
  });
  const terminal = createInterface({ input: stdin, output });
  try {
    return /^y/i.test(await terminal.question(`${question} [y/N] `));
  } finally {
    terminal.close();
  }
}

/** A long text from an option, or from the file that another option names. */
interface TextInput {
  /** The option, for messages: `--result`. */
  readonly option: string;
  readonly text: string | undefined;
  /** `-` reads standard input. */
  readonly file: string | undefined;
}

/** Reads the text. Null when neither is given. Throws `usage` when both are, or the file can't be read. */
export async function readText(app: Services, { option, text, file }: TextInput): Promise<string | null> {
  if (text !== undefined && file !== undefined) {
    throw usageError(`${option} and ${option}-file exclude each other: give one of them`);
  }
  if (file === undefined) return text ?? null;
  if (file === '-') return readStream(app.stdin);
  const path = resolve(app.cwd, file);
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw usageError(`can't read ${path}: ${messageOf(error)}`);
  });
}
