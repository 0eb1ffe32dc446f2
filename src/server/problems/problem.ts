import type { StoreReader } from '../../store/store.ts';

/** A state that a person should end, as `status` shows it behind `problem:` and `serve` prints it once. */
export interface LastingProblem {
  /** Kind and object, e.g. `refused:github`; unlike the text it does not change while the state lasts. */
  readonly key: string;
  /** What is wrong, how much or since when, and what to type. */
  readonly text: string;
  /** `serve` printed a line of its own when it began; only `status` repeats it. */
  readonly printed?: true;
}

export interface ProblemSource {
  readonly store: StoreReader;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Finds problems that the store tells. Asked every few seconds while serving: a few indexed reads at most. */
export type ProblemCheck = (source: ProblemSource) => readonly LastingProblem[];
