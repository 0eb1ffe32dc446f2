import { writeSync } from 'node:fs';

/** Text on its way to a reader who may be slow, or gone: writing never waits for one. */
export interface BoundedWriter {
  write(text: string): void;
  /** Resolves when all of it is out, or after so many milliseconds. */
  flushed(patienceMs: number): Promise<void>;
}

interface BoundedWriterOptions {
  /** Writes what goes at once and returns how many bytes that were; 0: none now. Throws: no more ever goes. */
  readonly take: (bytes: Buffer) => number;
  /** The line, with its newline, that replaces lines which found no room. */
  readonly leftOut: (lines: number) => string;
  /** Bytes that may wait. Default 1 MB. */
  readonly mostBytes?: number;
}

const MOST_BYTES = 1_000_000;
/** Between two looks whether the reader has moved on, in milliseconds. */
const RETRY_MS = 20;

/** Keeps what the reader does not take yet, up to a bound; whole lines beyond it are counted and left out. */
export function createBoundedWriter({
  take,
  leftOut,
  mostBytes = MOST_BYTES,
}: BoundedWriterOptions): BoundedWriter {
  let waiting: Buffer[] = [];
  let size = 0;
  let lost = 0;
  let broken = false;
  let timer: NodeJS.Timeout | null = null;
  const whenEmpty: (() => void)[] = [];

  function flush(): void {
    timer = null;
    try {
      for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
        const taken = take(first);
        size -= taken;
        if (taken < first.length) waiting[0] = first.subarray(taken);
        else waiting.shift();
        if (taken === 0) break;
        if (waiting.length === 0 && lost > 0) noteLost();
      }
    } catch {
      broken = true;
      waiting = [];
    }
    // A reader that may come back must not keep the process alive.
    if (waiting.length > 0) timer = setTimeout(flush, RETRY_MS).unref();
    else for (const tell of whenEmpty.splice(0)) tell();
  }

  function noteLost(): void {
    const note = Buffer.from(leftOut(lost));
    lost = 0;
    waiting.push(note);
    size += note.length;
  }

  return {
    write(text) {
      if (broken || text === '') return;
      const bytes = Buffer.from(text);
      if (lost > 0 || (size > 0 && size + bytes.length > mostBytes)) {
        lost += text.split('\n').length - 1;
        return;
      }
      waiting.push(bytes);
      size += bytes.length;
      if (timer === null) flush();
    },
    async flushed(patienceMs) {
      if (waiting.length === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const patience = setTimeout(resolve, patienceMs);
      whenEmpty.push(resolve);
      await promise;
      clearTimeout(patience);
    },
  };
}

/** What a descriptor in non-blocking mode takes at once. Throws what the system says but EAGAIN. */
export function takenBy(fd: number, bytes: Buffer): number {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    throw error;
  }
}

/** The same for standard output, which may be a file on a disk that has room later. */
export function takenByOutput(fd: number, bytes: Buffer): number {
  try {
    return takenBy(fd, bytes);
  } catch (error) {
    if (['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')) return 0;
    throw error;
  }
}
