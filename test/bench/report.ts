import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { type Figure, measured, reached } from './bench.ts';
import { here } from './load.ts';
import { plot } from './plot.ts';

/** What holds for all figures of a run. */
export interface Setting {
  readonly node: string;
  readonly processor: string;
  readonly quick: boolean;
  /** Why servers and generator share cores; null: they do not. */
  readonly shared: string | null;
}

export function settingOf(quick: boolean, shared: string | null): Setting {
  const [first] = cpus();
  return { node: process.version, processor: `${cpus().length} × ${first?.model ?? '?'}`, quick, shared };
}

/** Writes `results/`: the figures, the table of the README, the plot. */
export function write(setting: Setting, figures: readonly Figure[]): void {
  const folder = here('results');
  mkdirSync(folder, { recursive: true });
  const results = { ...setting, figures: figures.map((figure) => ({ ...figure, reached: reached(figure) })) };
  writeFileSync(`${folder}/results.json`, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(`${folder}/table.md`, table(setting, figures));
  writeFileSync(`${folder}/plot.svg`, plot(figures));
}

export function table(setting: Setting, figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const { what, against, note } = figure;
    const cells = [
      note === null ? what : `${what} (${note})`,
      against,
      measured(figure),
      wanted(figure),
      verdict(figure),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const { node, processor, quick, shared } = setting;
  const cores =
    shared === null
      ? 'server and generator on a core each'
      : `server and generator on the same cores: ${shared}`;
  const lines = [
    '| what | against | measured | must be | |',
    '|---|---|--:|--:|---|',
    ...rows,
    '',
    `Medians of interleaved rounds of one run${quick ? ' (`--quick`)' : ''}; Node ${node.slice(1)}, ${processor}, ${cores}.`,
  ];
  return `${lines.join('\n')}\n`;
}

function wanted({ must, unit }: Figure): string {
  const [sign, bound] = 'atLeast' in must ? ['≥', must.atLeast] : ['≤', must.atMost];
  return unit === 'ms' ? `${sign} ${bound} ms` : `${sign} ${bound}`;
}

function verdict(figure: Figure): string {
  const is = reached(figure);
  if (is === null) return 'not measured';
  return is ? 'reached' : '**not reached**';
}
