import { closeSync, fchmodSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

export interface RotatingFileOptions {
  /** A file of this size is put aside and a new one begun. Default 10 MB. */
  readonly maxBytes?: number;
  /** Files put aside at most: `<path>.1` is the newest. Default 3. */
  readonly keep?: number;
}

/** A log file that does not grow without end. Its parts are 0600. */
export interface RotatingFile {
  /** Never throws: what can't be written (the disk is full) is lost, and serving goes on. */
  write(line: string): void;
  close(): void;
}

const DEFAULTS = { maxBytes: 10_000_000, keep: 3 };

/** Opens the file to append to it, made if it is missing. Throws what `open` throws. */
export function openRotatingFile(path: string, options: RotatingFileOptions = {}): RotatingFile {
  const { maxBytes, keep } = { ...DEFAULTS, ...options };
  let fd = openPrivate(path);
  let size = fstatSync(fd).size;

  function rotate(): void {
    for (let number = keep; number >= 1; number -= 1) {
      const from = number === 1 ? path : `${path}.${number - 1}`;
      renameIfThere(from, `${path}.${number}`);
    }
    closeSync(fd);
    fd = openPrivate(path);
    size = fstatSync(fd).size;
  }

  return {
    write(line) {
      const bytes = Buffer.from(line);
      try {
        if (size > 0 && size + bytes.byteLength > maxBytes) rotate();
        size += writeSync(fd, bytes);
      } catch {
        // There is no place left to say it.
      }
    },
    close: () => closeSync(fd),
  };
}

/** The umask has no say, and neither has the mode of a file that was there before. */
function openPrivate(path: string): number {
  const fd = openSync(path, 'a', 0o600);
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
