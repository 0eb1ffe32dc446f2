/** How much of a fault is tried: all that is promised, `--quick`, or the seconds that CI has for each. */
export type Scale = 'full' | 'quick' | 'short';

/** One kind of fault: how it is made, and what must hold all the same. */
export interface Fault {
  /** As `--only` names it. */
  readonly name: string;
  /** What holds in spite of it, for the table. */
  readonly claim: string;
  /** What this machine lacks to make it, and how to get that; null when nothing is missing. */
  readonly lacks?: () => string | null;
  run(trial: Trial): Promise<void>;
}

/** One try of a fault. Its parts are counted: `N of M held`. */
export interface Trial {
  readonly scale: Scale;
  /** The entry file of the hookctl that is tried. */
  readonly hookctl: string;
  /** One part: it holds when `check` returns, and does not when it throws. */
  part(name: string, check: () => void | Promise<void>): Promise<void>;
  /** A part that this machine can't do: skipped, neither held nor failed. */
  lacking(name: string, what: string): void;
  /** A fact for the end of the line: `100,012 acknowledged`. */
  note(fact: string): void;
}

/** What a try came to. */
export interface Outcome {
  readonly held: number;
  readonly parts: number;
  readonly notes: readonly string[];
  /** `part: what went wrong`. */
  readonly failures: readonly string[];
  /** `part: what the machine lacks`; not among the parts. */
  readonly skipped: readonly string[];
}

/** By scale. */
export function amount<T>({ scale }: Pick<Trial, 'scale'>, by: Readonly<Record<Scale, T>>): T {
  return by[scale];
}

export interface TrialOptions {
  readonly scale: Scale;
  readonly hookctl: string;
  /** Told of each part as it ends. */
  readonly progress?: (parts: number, failures: number) => void;
}

/** Tries a fault, whose parts may fail; anything else that goes wrong is a failure of the whole. */
export async function tryFault(fault: Fault, { scale, hookctl, progress }: TrialOptions): Promise<Outcome> {
  const notes: string[] = [];
  const failures: string[] = [];
  const skipped: string[] = [];
  let parts = 0;
  const failed = (name: string, error: unknown) =>
    failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  const trial: Trial = {
    scale,
    hookctl,
    async part(name, check) {
      parts += 1;
      try {
        await check();
      } catch (error) {
        failed(name, error);
      }
      progress?.(parts, failures.length);
    },
    lacking: (name, what) => void skipped.push(`${name}: ${what}`),
    note: (fact) => void notes.push(fact),
  };
  try {
    await fault.run(trial);
  } catch (error) {
    parts += 1;
    failed('could not be tried to its end', error);
  }
  return { held: parts - failures.length, parts, notes, failures, skipped };
}
