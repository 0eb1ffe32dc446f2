import type { Programs } from './programs.ts';

/** What one run measures with. */
export interface Bench {
  /** Gone when the run ends. */
  readonly folder: string;
  /** A fresh folder in it. */
  place(name: string): string;
  readonly programs: Programs;
  /** Fewer and smaller rounds: the figures are rougher. */
  readonly quick: boolean;
  /** Writes what the processor does into the results, for those lines that measure a server. */
  readonly profile: boolean;
  /** Talk, on stderr. */
  say(text: string): void;
}

/** One figure of the table. */
export interface Figure {
  /** What hookctl does. */
  readonly what: string;
  /** What it is compared with. */
  readonly against: string;
  readonly unit: '×' | 'ms';
  /** Null: it could not be measured here; `note` says why. */
  readonly value: number | null;
  /** The value of each round. */
  readonly rounds: readonly number[];
  readonly must: { readonly atLeast: number } | { readonly atMost: number };
  readonly note: string | null;
}

/** A group of figures that are measured together. `--only` takes its name. */
export interface Line {
  readonly name: string;
  measure(bench: Bench): Promise<readonly Figure[]>;
}

/** Whether a figure is as it must be; null when it was not measured. */
export function reached({ value, must }: Figure): boolean | null {
  if (value === null) return null;
  return 'atLeast' in must ? value >= must.atLeast : value <= must.atMost;
}

/** As the table and the plot show it. */
export function measured({ value, unit }: Figure): string {
  if (value === null) return 'not measured';
  return unit === 'ms' ? `${value.toFixed(1)} ms` : value.toFixed(2);
}
