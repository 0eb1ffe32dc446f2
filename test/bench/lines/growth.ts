import { HAS_PROC, NO_PROC, residentOf } from '../accounting.ts';
import { type Bench, type Figure, figure, type Line } from '../bench.ts';
import { cli, makeUser, type Serving, serve, type User, webhookNumber, writeWebhooks } from '../hookctl.ts';
import { load } from '../load.ts';
import { median } from '../statistics.ts';

const LISTS = ['deliveries', 'tasks', 'webhooks', 'flows', 'conversations', 'outbox'];

/** Much that is stored, against nothing; and the memory of the process that took it all. */
export const growth: Line = {
  name: 'growth',

  async measure(bench) {
    const many = bench.quick ? 10_000 : 100_000;
    const webhooks = 1_000;
    const full = makeUser(bench, 'full');
    const memory = await fill(bench, full, many);
    writeWebhooks(full, webhooks);
    // The file is as hookctl writes it from the first change on; so many were not written by hand.
    await cli(bench, full, 'webhook', 'disable', webhookNumber(0).name);
    const empty = makeUser(bench, 'empty');
    const size = `${many.toLocaleString('en-US')} stored deliveries and ${webhooks.toLocaleString('en-US')} webhooks`;
    const compared = await compare(bench, full, empty, size);
    return { figures: [memory, ...compared, await starts(bench, full, empty, size)] };
  },
};

async function fill(bench: Bench, user: User, many: number): Promise<Figure> {
  const server = await serve(bench, user);
  const seen: number[] = [];
  for (const requests of [many / 10, many - many / 10]) {
    await load(bench, { origin: server.origin, requests });
    if (HAS_PROC) seen.push(await settledMemory(server));
  }
  await server.stop();
  const [early = 0, late = 0] = seen.map((each) => each.toFixed(0));
  bench.say(`memory: ${early} MB after a tenth of them, ${late} MB after all`);
  return figure(
    {
      what: `memory: resident after ${many.toLocaleString('en-US')} deliveries`,
      against: `after ${(many / 10).toLocaleString('en-US')} it is ${early} MB`,
      unit: 'MB',
      must: { atMost: 180 },
      note: HAS_PROC ? null : NO_PROC,
    },
    seen.slice(1),
  );
}

/** Resident memory moves with garbage; the median of three seconds at rest does not. */
async function settledMemory({ pid }: Serving): Promise<number> {
  const seen: number[] = [];
  for (let sample = 0; sample < 15; sample++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    seen.push(residentOf(pid));
  }
  return median(seen);
}

async function compare(bench: Bench, full: User, empty: User, size: string): Promise<readonly Figure[]> {
  const servers = { full: await serve(bench, full), empty: await serve(bench, empty) };
  const requests = bench.quick ? 2_000 : 5_000;
  const ratios: number[] = [];
  const pages: number[][] = [];
  for (let round = 0; round <= (bench.quick ? 2 : 5); round++) {
    const own = await load(bench, { origin: servers.full.origin, requests });
    const other = await load(bench, { origin: servers.empty.origin, requests });
    if (round > 0) ratios.push(own.perSecond / other.perSecond);
    bench.say(
      `growth, round ${round}: ${Math.round(own.perSecond)}/s against ${Math.round(other.perSecond)}/s`,
    );
  }
  for (const list of LISTS) {
    const times = { full: [] as number[], empty: [] as number[] };
    for (let round = 0; round < 40; round++) {
      for (const which of ['full', 'empty'] as const) {
        const begin = performance.now();
        await servers[which].get(`/api/${list}?limit=50`);
        if (round >= 10) times[which].push(performance.now() - begin);
      }
    }
    pages.push([median(times.full), median(times.empty)]);
  }
  await servers.full.stop();
  await servers.empty.stop();
  return [
    figure(
      {
        what: `growth: accept with ${size}`,
        against: 'the same with nothing stored',
        must: { atLeast: 0.9 },
      },
      ratios,
    ),
    slowestPage(pages),
  ];
}

/** What an empty list answers faster is mostly its rows: fifty of them may take a few milliseconds more. */
function slowestPage(pages: readonly number[][]): Figure {
  const added = pages.map(([full = 0, empty = 0]) => full - empty);
  const worst = Math.max(...added);
  return {
    ...figure(
      {
        what: 'growth: first page of any list, beside what it takes with nothing stored',
        against: `the slowest is ${LISTS[added.indexOf(worst)]}`,
        unit: 'ms',
        must: { atMost: 10 },
        note: LISTS.map((list, index) => `${list} ${pages[index]?.[0]?.toFixed(1)} ms`).join(', '),
      },
      added,
    ),
    value: worst,
  };
}

async function starts(bench: Bench, full: User, empty: User, size: string): Promise<Figure> {
  const ratios: number[] = [];
  for (let round = 0; round < (bench.quick ? 2 : 7); round++) {
    const times = [];
    for (const user of [full, empty]) {
      const server = await serve(bench, user);
      times.push(server.startMs);
      await server.stop();
    }
    const [own = 0, other = 1] = times;
    ratios.push(own / other);
    bench.say(`start, round ${round}: ${own.toFixed(0)} ms against ${other.toFixed(0)} ms`);
  }
  return figure(
    {
      what: `growth: start with ${size}`,
      against: 'start with nothing stored',
      must: { atMost: 1.5 },
    },
    ratios,
  );
}
