import { styleText } from 'node:util';
import { oncePerTurn } from './once-per-turn.ts';

/** Where a command reads and writes. Data goes to `out`, talk to `err`; tests pass streams of their own. */
export interface Io {
  readonly out: OutputStream;
  readonly err: OutputStream;
}

export interface OutputStream {
  write(text: string): void;
  /** A terminal, where colour, questions and progress make sense. */
  readonly isTerminal: boolean;
  /** Colour is wanted: a terminal, and NO_COLOR is not set. */
  readonly color: boolean;
  /** Width of the terminal; left out where there is none. */
  readonly columns?: number | undefined;
}

export type Style = Parameters<typeof styleText>[0];

/** Styled text where colour is wanted, plain text elsewhere. */
export function paint(stream: OutputStream, style: Style, text: string): string {
  return stream.color ? styleText(style, text, { validateStream: false }) : text;
}

/** The same stream, behind something that changes each text. */
export function through(stream: OutputStream, change: (text: string) => string): OutputStream {
  return { ...stream, write: (text) => stream.write(change(text)) };
}

/** The same stream, written to once in each turn of the event loop: for those that say much. */
export function perTurn(stream: OutputStream): OutputStream {
  const { isTerminal, color } = stream;
  let waiting = '';
  const flush = oncePerTurn(() => {
    stream.write(waiting);
    waiting = '';
  });
  return {
    isTerminal,
    color,
    write(text) {
      waiting += text;
      flush();
    },
  };
}

/** One line. */
export function say(stream: OutputStream, line = ''): void {
  stream.write(`${line}\n`);
}

/**
 * A process stream as `OutputStream`. A closed pipe (`hookctl … | head -1`) ends the writing, not the process:
 * without a listener Node turns EPIPE into an uncaught error.
 */
export function outputStream(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): OutputStream {
  let broken = false;
  stream.on('error', () => {
    broken = true;
  });
  const isTerminal = stream.isTTY === true;
  return {
    isTerminal,
    color: isTerminal && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb',
    columns: isTerminal ? stream.columns : undefined,
    write: (text) => void (broken || stream.write(text)),
  };
}
