/**
 * `npm run bench [-- --quick --only accept,start --profile --folder /var/tmp]`: figures as ratios within this one run, interleaved, medians.
 * Absolute figures differ from machine to machine; what holds is how hookctl stands to the others. A whole run without `--quick` writes `results/`.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench, CpuRow, Figure, Line } from './bench.ts';
import { accept } from './lines/accept.ts';
import { growth } from './lines/growth.ts';
import { hotReload } from './lines/hot-reload.ts';
import { latency } from './lines/latency.ts';
import { page } from './lines/page.ts';
import { recovery } from './lines/recovery.ts';
import { replay } from './lines/replay.ts';
import { single } from './lines/single.ts';
import { start } from './lines/start.ts';
import { wholeJob } from './lines/whole-job.ts';
import { createPrograms } from './programs.ts';
import { settingOf, table, write } from './report.ts';

const LINES: readonly Line[] = [
  accept,
  wholeJob,
  single,
  latency,
  growth,
  start,
  hotReload,
  replay,
  recovery,
  page,
];

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    only: { type: 'string' },
    // /tmp is memory on many machines, where an fsync costs nothing.
    folder: { type: 'string', default: existsSync('/var/tmp') ? '/var/tmp' : tmpdir() },
  },
});

const wanted = values.only?.split(',') ?? LINES.map(({ name }) => name);
const unknown = wanted.filter((name) => LINES.every((line) => line.name !== name));
if (unknown.length > 0) {
  console.error(`there is no ${unknown.join(', ')}; there is ${LINES.map(({ name }) => name).join(', ')}`);
  process.exitCode = 2;
} else {
  await run();
}

async function run(): Promise<void> {
  const folder = mkdtempSync(join(values.folder, 'hookctl-bench-'));
  const programs = createPrograms();
  const { quick, profile } = values;
  const bench: Bench = {
    folder,
    programs,
    quick,
    profile,
    say: (text) => console.error(text),
    place(name) {
      const path = join(folder, name);
      mkdirSync(path);
      return path;
    },
  };
  const figures: Figure[] = [];
  const cpu: CpuRow[] = [];
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, async () => {
      await programs.stopAll();
      rmSync(folder, { recursive: true, force: true });
      process.kill(process.pid, signal);
    });
  }
  const setting = settingOf(quick, programs.shared);
  try {
    for (const line of LINES.filter(({ name }) => wanted.includes(name))) {
      try {
        const begin = performance.now();
        const measured = await line.measure(bench);
        figures.push(...measured.figures);
        cpu.push(...(measured.cpu ?? []));
        bench.say(`${line.name}: ${((performance.now() - begin) / 1_000).toFixed(0)} s`);
      } catch (error) {
        // The other lines are worth their time all the same.
        console.error(`${line.name}: ${error instanceof Error ? error.message : String(error)}`);
        process.exitCode = 1;
      }
      await programs.stopAll();
    }
  } finally {
    await programs.stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
  // Neither a part of the table nor rougher figures take the place of the whole one.
  if (values.only === undefined && !quick) write(setting, figures, cpu);
  console.log(table(setting, figures, cpu));
}
