import { type Io, type OutputStream, paint, say } from '../../lib/io.ts';
import { counted } from '../kit/print.ts';

/** What became of many, counted by how it ended. */
interface Tally {
  /** `failure`: how to say it, where it is one; else null. */
  add(outcome: string, failure: string | null): void;
  total(): number;
  failures(): number;
  /** `9,990 processed, 10 failed`. */
  line(): string;
  /** The sum on stdout (with `json`, where stdout has one line for each, on stderr), the first failures on stderr. */
  print(io: Io, how: { readonly verb: string; readonly json: boolean }): void;
}

/** More would scroll the sum away. */
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
      for (const failure of shown) say(io.err, paint(io.err, 'yellow', failure));
      if (failures > shown.length) say(io.err, `and ${counted(failures - shown.length)} more`);
      say(json ? io.err : io.out, `${verb} ${counted(total)}: ${line() || 'nothing'}`);
    },
  };
}

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
