import type { OutputStream } from '../../lib/io.ts';

/** A line on a terminal that says how far a long command is. */
interface Progress {
  /** Shows the line as it is now; most calls do nothing, so that every step may call it. */
  show(line: () => string): void;
  /** Takes the line away, before anything else is printed. */
  clear(): void;
}

const EVERY_MS = 100;

/** Silent where nobody watches: a log full of these lines helps no one. */
export function createProgress(stream: OutputStream, now: () => number): Progress {
  let shownAt = Number.NEGATIVE_INFINITY;
  let isShown = false;
  return {
    show(line) {
      if (!stream.isTerminal || now() - shownAt < EVERY_MS) return;
      shownAt = now();
      isShown = true;
      stream.write(`\r\x1b[2K${line()}`);
    },
    clear() {
      if (isShown) stream.write('\r\x1b[2K');
      isShown = false;
    },
  };
}
