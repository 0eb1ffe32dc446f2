import { closeSync, constants, fchmodSync, fstatSync, openSync, renameSync, statSync } from 'node:fs';
import { createBoundedWriter, takenBy } from './bounded-writer.ts';

interface RotatingFileOptions {
  /** A file of this size is renamed to `<path>.1`, and a new one is started. Default 10 MB. */
  readonly maxBytes?: number;
  /** How many former files are kept: `<path>.1` is the newest. Default 3. */
  readonly keep?: number;
  /** The line, with its newline, that replaces lines which could not be written. */
  readonly leftOut?: (lines: number) => string;
  /** Called when writing fails, and again only after it worked in between. */
  readonly failed?: (error: unknown) => void;
}

/** A log file that does not grow without end. Its parts are 0600. */
interface RotatingFile {
  /** Never throws and never waits: a line that can't be written (full disk, a pipe without a reader) is left out. */
  write(line: string): void;
  close(): void;
}

const DEFAULTS = {
  maxBytes: 10_000_000,
  keep: 3,
  leftOut: (lines: number) => `… ${lines} lines left out\n`,
  failed: () => undefined,
};

/** Opens the file to append to it, made if it is missing. Throws what `open` throws. */
export function openRotatingFile(path: string, options: RotatingFileOptions = {}): RotatingFile {
  const { maxBytes, keep, leftOut, failed } = { ...DEFAULTS, ...options };
  let fd = openPrivate(path);
  let size = fstatSync(fd).size;
  let closed = false;
  let failing = false;
  const isFile = fstatSync(fd).isFile();
  const writer = createBoundedWriter({ take, leftOut });

  /** False once the file was removed, or renamed by another program. */
  function isInPlace(): boolean {
    const [there, ours] = [statSync(path, { throwIfNoEntry: false }), fstatSync(fd)];
    return there?.ino === ours.ino && there.dev === ours.dev;
  }

  function putAside(): void {
    for (let number = keep; number >= 1; number -= 1) {
      const from = number === 1 ? path : `${path}.${number - 1}`;
      renameIfThere(from, `${path}.${number}`);
    }
  }

  /** Closes the former descriptor last: where none can be opened, its number would soon be that of another file. */
  function reopen(): void {
    const next = openPrivate(path);
    closeSync(fd);
    fd = next;
    size = fstatSync(fd).size;
  }

  function take(bytes: Buffer): number {
    if (closed) throw new Error('closed');
    try {
      if (isFile && size > 0 && size + bytes.length > maxBytes && isInPlace()) putAside();
      if (isFile && !isInPlace()) reopen();
      const taken = takenBy(fd, bytes);
      size += taken;
      failing = false;
      return taken;
    } catch (error) {
      // Tried again: the disk may have room later.
      if (!failing) failed(error);
      failing = true;
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

/** chmod after open: neither the umask nor the mode of an existing file applies. */
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
