import { type Io, type OutputStream, say } from '../../lib/io.ts';
import { counted, warn } from '../kit/print.ts';

/** Counts results by outcome. */
interface Tally {
  /** `failure` describes a failed result; null for any other. */
  add(outcome: string, failure: string | null): void;
  total(): number;
  failures(): number;
  /** `9,990 processed, 10 failed`. */
  line(): string;
  /** Prints the totals on stdout (on stderr with `json`), and the first failures on stderr. */
  print(io: Io, how: { readonly verb: string; readonly json: boolean }): void;
}

/** Failures shown, so that the totals stay on screen. */
const SHOWN = 20;

export function createTally(): Tally {
  const counts = new Map<string, number>();
  const shown: string[] = [];
  let total = 0;
  let failures = 0;
  const line = () => [...counts].map(([outcome, count]) => `${counted(count)} ${outcome}`).join(', ');
  return {
    add(outcome, failure) {
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      total += 1;
      if (failure === null) return;
      failures += 1;
      if (shown.length < SHOWN) shown.push(failure);
    },
    total: () => total,
    failures: () => failures,
    line,
    print(io, { verb, json }) {
      for (const failure of shown) warn(io, failure);
      if (failures > shown.length) say(io.err, `and ${counted(failures - shown.length)} more`);
      say(json ? io.err : io.out, `${verb} ${counted(total)}: ${line() || 'nothing'}`);
    },
  };
}

/** A progress line on a terminal. */
interface Progress {
  /** Updates the line, at most every 100 ms. */
  show(line: () => string): void;
  /** Removes the line, before anything else is printed. */
  clear(): void;
}

const EVERY_MS = 100;

/** Prints nothing unless the stream is a terminal. */
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
