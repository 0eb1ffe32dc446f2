import { backlogs } from './backlogs.ts';
import type { LastingProblem, ProblemCheck, ProblemSource } from './problem.ts';
import { refusedRequests } from './refused-requests.ts';
import { unsentPosts } from './unsent-posts.ts';

export type { LastingProblem as Problem } from './problem.ts';

/** In the order in which `status` shows them. One file each. */
const CHECKS: readonly ProblemCheck[] = [backlogs, refusedRequests, unsentPosts];

/** The problems that the store tells, with or without a server. */
export function storedProblems(source: ProblemSource): readonly LastingProblem[] {
  return CHECKS.flatMap((check) => check(source));
}

/** A problem whose text stays the same as long as it lasts. */
export function lastingProblem(text: string): LastingProblem {
  return { key: text, text };
}

/** How often serving looks for new problems, in milliseconds. */
const LOOK_MS = 5_000;

interface ProblemWatchOptions {
  readonly look: () => readonly LastingProblem[];
  /** Called once for each problem that was not there at the last look. */
  readonly found: (text: string) => void;
  readonly broken: (error: unknown) => void;
  readonly everyMs?: number;
}

/** Tells each problem when it appears, and again only after it was gone. What is there already counts as told. */
export function watchProblems({ look, found, broken, everyMs = LOOK_MS }: ProblemWatchOptions): {
  close(): void;
} {
  let known = new Set(look().map(({ key }) => key));
  const timer = setInterval(() => {
    try {
      const problems = look();
      for (const { key, text, printed } of problems) if (!known.has(key) && printed !== true) found(text);
      known = new Set(problems.map(({ key }) => key));
    } catch (error) {
      broken(error);
    }
  }, everyMs).unref();
  return { close: () => clearInterval(timer) };
}
