import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { type Serving, serve, type User } from './hookctl.ts';
import { here } from './load.ts';

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const SHOWN = 25;

/** Does the work on a server that is profiled, as `writeProfile`. */
export function measureProfile(
  bench: Bench,
  name: string,
  user: User,
  work: (server: Serving) => Promise<unknown>,
): Promise<void> {
  return writeProfile(bench, name, async (node) => {
    const server = await serve(bench, user, { node });
    await work(server);
    await server.stop();
  });
}

/** Runs something with these options of Node, and writes where its time went to `results/profile-<name>.md`. */
export async function writeProfile(
  bench: Bench,
  name: string,
  run: (node: readonly string[]) => Promise<unknown>,
): Promise<void> {
  const folder = bench.place(`profile-${name}`);
  await run(['--cpu-prof', '--cpu-prof-dir', folder]);
  const files = readdirSync(folder).filter((file) => file.endsWith('.cpuprofile'));
  const parts = files.map((file) => summary(JSON.parse(readFileSync(join(folder, file), 'utf8'))));
  rmSync(folder, { recursive: true });
  mkdirSync(here('results'), { recursive: true });
  writeFileSync(here(`results/profile-${name}.md`), `# Where the time goes: ${name}\n\n${parts.join('\n')}`);
}

/** One thread: functions by the time that they took themselves. */
function summary({ nodes, samples, timeDeltas }: CpuProfile): string {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? '?';
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[index] ?? 0));
  }
  const idle = times.get('`(idle)`') ?? 0;
  const busy = [...times].filter(([name]) => name !== '`(idle)`' && name !== '`(root)`');
  const total = busy.reduce((sum, [, time]) => sum + time, 0);
  const rows = busy
    .toSorted(([, left], [, right]) => right - left)
    .slice(0, SHOWN)
    .map(([name, time]) => `| ${((time / total) * 100).toFixed(1)} % | ${name} |`);
  const seconds = (microseconds: number) => (microseconds / 1e6).toFixed(1);
  return `A thread: ${seconds(total)} s busy, ${seconds(idle)} s idle.\n\n| share | function |\n|--:|---|\n${rows.join('\n')}\n`;
}

function nameOf({ functionName, url }: CpuProfile['nodes'][number]['callFrame']): string {
  const file = url.replace(/^.*\/(?=(node_modules|dist)\/)/, '');
  return `\`${functionName || '(anonymous)'}\`${file === '' ? '' : ` ${file}`}`;
}
