import { closeSync, constants, fchmodSync, fstatSync, openSync, renameSync } from 'node:fs';
import { createBoundedWriter, takenBy } from './bounded-writer.ts';

export interface RotatingFileOptions {
  /** A file of this size is put aside and a new one begun. Default 10 MB. */
  readonly maxBytes?: number;
  /** Files put aside at most: `<path>.1` is the newest. Default 3. */
  readonly keep?: number;
  /** The line, with its newline, that stands where lines could not be written. */
  readonly leftOut?: (lines: number) => string;
}

/** A log file that does not grow without end. Its parts are 0600. */
export interface RotatingFile {
  /** Never throws and never waits: what can't be written (the disk is full, a pipe is not read) is left out. */
  write(line: string): void;
  close(): void;
}

const DEFAULTS = {
  maxBytes: 10_000_000,
  keep: 3,
  leftOut: (lines: number) => `… ${lines} lines left out\n`,
};

/** Opens the file to append to it, made if it is missing. Throws what `open` throws. */
export function openRotatingFile(path: string, options: RotatingFileOptions = {}): RotatingFile {
  const { maxBytes, keep, leftOut } = { ...DEFAULTS, ...options };
  let fd = openPrivate(path);
  let size = fstatSync(fd).size;
  let closed = false;
  const isFile = fstatSync(fd).isFile();
  const writer = createBoundedWriter({ take, leftOut });

  function rotate(): void {
    for (let number = keep; number >= 1; number -= 1) {
      const from = number === 1 ? path : `${path}.${number - 1}`;
      renameIfThere(from, `${path}.${number}`);
    }
    closeSync(fd);
    fd = openPrivate(path);
    size = fstatSync(fd).size;
  }

  function take(bytes: Buffer): number {
    if (closed) throw new Error('closed');
    try {
      if (isFile && size > 0 && size + bytes.length > maxBytes) rotate();
      const taken = takenBy(fd, bytes);
      size += taken;
      return taken;
    } catch {
      // Tried again: the disk may have room later.
      return 0;
    }
  }

  return {
    write: writer.write,
    close() {
      closed = true;
      closeSync(fd);
    },
  };
}

/** The umask has no say, and neither has the mode of a file that was there before. */
function openPrivate(path: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants;
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o600);
  fchmodSync(fd, 0o600);
  return fd;
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
