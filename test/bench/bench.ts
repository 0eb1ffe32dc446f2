import type { Programs } from './programs.ts';
import { median } from './statistics.ts';

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
  readonly unit: '×' | 'ms' | 'MB';
  /** Null when it could not be measured here; `note` says why. */
  readonly value: number | null;
  /** The value of each round. */
  readonly rounds: readonly number[];
  readonly must: { readonly atLeast: number } | { readonly atMost: number };
  readonly note: string | null;
}

/** CPU time of one program for each request, in microseconds. */
export interface CpuRow {
  /** What is done for a request. */
  readonly work: string;
  readonly program: string;
  readonly total: number;
  /** Null for programs that are not split. */
  readonly threads: { readonly main: number; readonly writer: number } | null;
}

export interface Measured {
  readonly figures: readonly Figure[];
  readonly cpu?: readonly CpuRow[];
}

/** A group of figures that are measured together. `--only` takes its name. */
export interface Line {
  readonly name: string;
  measure(bench: Bench): Promise<Measured>;
}

type Shown = Pick<Figure, 'what' | 'against' | 'must'> & Partial<Pick<Figure, 'unit' | 'note'>>;

/** The median of the rounds; without any the figure was skipped, and `note` says why. */
export function figure(shown: Shown, rounds: readonly number[]): Figure {
  return { unit: '×', note: null, ...shown, value: rounds.length === 0 ? null : median(rounds), rounds };
}

/** Whether a figure is as it must be; null when it was skipped. */
export function reached({ value, must }: Figure): boolean | null {
  if (value === null) return null;
  return 'atLeast' in must ? value >= must.atLeast : value <= must.atMost;
}

/** As the table and the plot show it. */
export function measured({ value, unit }: Figure): string {
  if (value === null) return '–';
  if (unit === '×') return value.toFixed(2);
  return `${value.toFixed(unit === 'ms' ? 1 : 0)} ${unit}`;
}
