import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { type CpuRow, type Figure, measured, reached } from './bench.ts';
import { HOOKCTL } from './contest.ts';
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

/** Writes `results/`: the figures, the table of docs/figures.md, the plot. */
export function write(setting: Setting, figures: readonly Figure[], cpu: readonly CpuRow[]): void {
  const folder = here('results');
  mkdirSync(folder, { recursive: true });
  const results = {
    ...setting,
    figures: figures.map((figure) => ({ ...figure, reached: reached(figure) })),
    cpu,
  };
  writeFileSync(`${folder}/results.json`, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(`${folder}/table.md`, table(setting, figures, cpu));
  writeFileSync(`${folder}/plot.svg`, plot(figures));
}

export function table(setting: Setting, figures: readonly Figure[], cpu: readonly CpuRow[]): string {
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
    ...cpuTable(cpu),
    `Medians of interleaved rounds of one run${quick ? ' (`--quick`)' : ''}; Node ${node.slice(1)}, ${processor}, ${cores}.`,
  ];
  return `${lines.join('\n')}\n`;
}

/** For each request, by the kernel's accounting; the rest are garbage collection, the compiler and the thread pool. */
function cpuTable(cpu: readonly CpuRow[]): readonly string[] {
  if (cpu.length === 0) return [];
  const rows = cpu.map(({ work, program, total, threads }) => {
    const own = cpu.find((row) => row.work === work && row.program === HOOKCTL)?.total ?? Number.NaN;
    const parts =
      threads === null ? ['', '', ''] : [threads.main, threads.writer, total - threads.main - threads.writer];
    const cells = [total, ...parts].map((each) => (typeof each === 'number' ? each.toFixed(0) : each));
    return `| ${[work, program, ...cells, (own / total).toFixed(2)].join(' | ')} |`;
  });
  return [
    '| CPU time of a request, µs | program | total | main thread | writer thread | rest | hookctl ÷ it |',
    '|---|---|--:|--:|--:|--:|--:|',
    ...rows,
    '',
  ];
}

function wanted({ must, unit }: Figure): string {
  const [sign, bound] = 'atLeast' in must ? ['≥', must.atLeast] : ['≤', must.atMost];
  return unit === '×' ? `${sign} ${bound}` : `${sign} ${bound} ${unit}`;
}

function verdict(figure: Figure): string {
  const is = reached(figure);
  if (is === null) return 'skipped';
  return is ? 'reached' : '**not reached**';
}
