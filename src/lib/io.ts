import { constants, openSync } from 'node:fs';
import { styleText } from 'node:util';
import { type BoundedWriter, createBoundedWriter, takenByOutput } from './files/bounded-writer.ts';
import { coalesce } from './time-slicer.ts';

type StandardStream = NodeJS.WriteStream & { readonly fd: number };

/**
 * A descriptor of a standard stream on which a write never waits; null where the system gives none. A pipe or a socket
 * is in that mode since Node opened it. A terminal is not, and its mode is shared with the shell: it is opened anew.
 */
function unblockedDescriptor({ fd, isTTY }: StandardStream): number | null {
  if (!isTTY) return fd;
  return opened(`/proc/self/fd/${fd}`) ?? opened('/dev/tty');
}

function opened(path: string): number | null {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return null;
  }
}

/** Where a command reads and writes. Data goes to `out`, talk to `err`; tests pass their own streams. */
export interface Io {
  readonly out: OutputStream;
  readonly err: OutputStream;
  /** Repeats `--config` in the command lines that a text tells to type (see `commandsOut`); `err` does so by itself. */
  readonly repeatConfig?: ((text: string) => string) | undefined;
}

export interface OutputStream {
  write(text: string): void;
  /**
   * From now on no write waits for who reads: lines that find no room are left out. `leftOut`: the line that says so,
   * with its newline. Missing where nothing can be waited for.
   */
  neverWait?(leftOut: (lines: number) => string): void;
  /** Resolves when everything is out, or after so many milliseconds. */
  flushed?(patienceMs: number): Promise<void>;
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
  let waiting = '';
  const flush = coalesce(() => {
    stream.write(waiting);
    waiting = '';
  });
  return {
    ...stream,
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

/** `out`, for what tells what to type. */
export function commandsOut({ out, repeatConfig }: Io): OutputStream {
  return repeatConfig === undefined ? out : through(out, repeatConfig);
}

/**
 * A process stream as `OutputStream`. A closed pipe (`hookctl … | head -1`) ends the writing, not the process:
 * without a listener Node turns EPIPE into an uncaught error.
 */
export function outputStream(stream: StandardStream, env: NodeJS.ProcessEnv): OutputStream {
  let broken = false;
  let bounded: BoundedWriter | null = null;
  stream.on('error', () => {
    broken = true;
  });
  const isTerminal = stream.isTTY === true;
  return {
    isTerminal,
    color: isTerminal && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb',
    columns: isTerminal ? stream.columns : undefined,
    write(text) {
      if (bounded !== null) bounded.write(text);
      else if (!broken) stream.write(text);
    },
    neverWait(leftOut) {
      const fd = unblockedDescriptor(stream);
      if (fd !== null)
        bounded ??= createBoundedWriter({ take: (bytes) => takenByOutput(fd, bytes), leftOut });
    },
    flushed: async (patienceMs) => bounded?.flushed(patienceMs),
  };
}
