import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text as readStream } from 'node:stream/consumers';
import { messageOf, usageError } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import type { Services } from '../../services.ts';

/** Whether a person can answer on a terminal. */
export function canAsk({ io, stdin }: Services): boolean {
  return io.err.isTerminal && stdin().isTTY === true;
}

/** Asks a yes-or-no question; an empty answer means no. */
export async function agrees({ io, stdin }: Services, question: string): Promise<boolean> {
  const output = new Writable({
    write(chunk, _encoding, done) {
      io.err.write(String(chunk));
      done();
    },
  });
  const terminal = createInterface({ input: stdin(), output });
  try {
    return /^y/i.test(await terminal.question(`${question} [y/N] `));
  } finally {
    terminal.close();
  }
}

/** A change of many records, which a person confirms. */
interface Confirmation {
  /** `--yes`. */
  readonly yes: boolean | undefined;
  /** `Cancel 3 tasks?` */
  readonly question: string;
  /** `this would cancel 3 tasks`, and `nothing was cancelled`. */
  readonly would: string;
  readonly nothing: string;
  /** The command line as it was typed. */
  readonly argv: readonly string[];
}

/** Asks, unless `--yes` was given. Throws `usage` when there is no terminal to ask on. */
export async function confirmed(
  app: Services,
  { yes, question, would, nothing, argv }: Confirmation,
): Promise<boolean> {
  if (yes === true) return true;
  if (!canAsk(app)) {
    throw usageError(
      `${would}, and there is no terminal to ask on; ${nothing}`,
      `If this is right: ${commandLine('hookctl', ...argv, '--yes')}`,
    );
  }
  const isConfirmed = await agrees(app, question);
  if (!isConfirmed) say(app.io.err, `${nothing.charAt(0).toUpperCase()}${nothing.slice(1)}.`);
  return isConfirmed;
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
  if (file === '-') return readStream(app.stdin());
  const path = resolve(app.cwd, file);
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw usageError(`can't read ${path}: ${messageOf(error)}`);
  });
}
