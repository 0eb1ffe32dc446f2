import { type Cpu, cpuOf, HAS_PROC, NO_PROC, restingCpuOf } from './accounting.ts';
import { type Bench, type CpuRow, type Figure, figure } from './bench.ts';
import type { Found } from './peers.ts';
import { median } from './statistics.ts';

export const HOOKCTL = 'hookctl';
export const OLD = 'hookctl at 1a1cdb0';

/** A server that does what the others do, in turn with them. */
export interface Contestant {
  readonly name: string;
  readonly found: Found<{
    readonly pid: number;
    /** Does its share of a round; how many requests that were, and how many a second. */
    work(): Promise<{ readonly requests: number; readonly perSecond: number }>;
  }>;
}

interface Turn {
  readonly perSecond: number;
  /** Of one request, in microseconds; null without /proc. */
  readonly cpu: Cpu | null;
}

/** What all did, round by round. */
export interface Contest {
  /** hookctl's requests a second ÷ those of another. */
  speed(against: string, atLeast: number, what: string): Figure;
  /** hookctl's CPU time for a request ÷ that of another. */
  cpu(against: string, atMost: number, what: string): Figure;
  cpuRows(work: string): readonly CpuRow[];
}

/** Runs one round that warms all of them up, and those that count. */
export async function compete(
  bench: Bench,
  name: string,
  contestants: readonly Contestant[],
  count: number,
): Promise<Contest> {
  const rounds: ReadonlyMap<string, Turn>[] = [];
  for (let round = 0; round <= count; round++) {
    const turns = new Map<string, Turn>();
    for (const { name: each, found } of contestants) {
      if (found.ok) turns.set(each, await takeTurn(found.peer));
    }
    if (round > 0) rounds.push(turns);
    bench.say(`${name}, round ${round}: ${[...turns].map(said).join(' · ')}`);
  }
  return judge(contestants, rounds);
}

async function takeTurn({ pid, work }: Extract<Contestant['found'], { ok: true }>['peer']): Promise<Turn> {
  const before = HAS_PROC ? cpuOf(pid) : null;
  const { requests, perSecond } = await work();
  if (before === null) return { perSecond, cpu: null };
  const after = await restingCpuOf(pid);
  const each = (of: keyof Cpu) => (after[of] - before[of]) / requests;
  return { perSecond, cpu: { total: each('total'), main: each('main'), writer: each('writer') } };
}

function said([name, { perSecond, cpu }]: readonly [string, Turn]): string {
  return `${name} ${Math.round(perSecond)}/s${cpu === null ? '' : ` ${Math.round(cpu.total)} µs`}`;
}

function judge(contestants: readonly Contestant[], rounds: readonly ReadonlyMap<string, Turn>[]): Contest {
  const ratios = (against: string, of: (turn: Turn) => number | undefined) =>
    rounds.flatMap((turns) => {
      const [own, other] = [HOOKCTL, against].map((name) => turns.get(name)).map((turn) => turn && of(turn));
      return own === undefined || other === undefined ? [] : [own / other];
    });
  const missing = (name: string) => {
    const found = contestants.find((each) => each.name === name)?.found;
    return found?.ok === false ? found.why : null;
  };
  return {
    speed: (against, atLeast, what) =>
      figure(
        { what, against, must: { atLeast }, note: missing(against) },
        ratios(against, ({ perSecond }) => perSecond),
      ),
    cpu: (against, atMost, what) =>
      figure(
        { what, against, must: { atMost }, note: missing(against) ?? (HAS_PROC ? null : NO_PROC) },
        ratios(against, ({ cpu }) => cpu?.total),
      ),
    cpuRows: (work) =>
      contestants.flatMap(({ name: program }) => {
        const all = rounds.flatMap((turns) => turns.get(program)?.cpu ?? []);
        if (all.length === 0) return [];
        const [total, main, writer] = (['total', 'main', 'writer'] as const).map((of) =>
          median(all.map((cpu) => cpu[of])),
        ) as [number, number, number];
        return [
          { work, program, total, threads: [HOOKCTL, OLD].includes(program) ? { main, writer } : null },
        ];
      }),
  };
}
