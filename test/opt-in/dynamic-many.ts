import { createHmac } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dbText, record } from '../config/dynamic/support.ts';
import { makeBed, serve } from './dynamic-support.ts';

/*
 * How starting, routing, reloading and listing grow from 10 dynamic webhooks to 1,000 (or what is given).
 *   npm run test:many-webhooks
 */

const FEW = 10;
const MANY = Number(process.argv[2] ?? 1_000);
const REQUESTS = 200;
const RELOADS = 5;

interface Times {
  readonly start: number;
  readonly route: number;
  readonly reload: number;
  readonly list: number;
  readonly add: number;
}

async function measure(count: number): Promise<Times> {
  const webhooks = Array.from({ length: count }, (_, index) => record(index + 1));
  const bed = makeBed(dbText(webhooks));
  try {
    const begin = performance.now();
    const served = await serve(bed);
    const start = performance.now() - begin;
    try {
      const route = await routeTime(served.url, count);
      const reloads: number[] = [];
      for (let round = 1; round <= RELOADS; round++) {
        const changed = webhooks.with(count - 1, record(count, { command_prefix: `@round${round}` }));
        writeFileSync(`${bed.db}.new`, dbText(changed), { mode: 0o600 });
        const written = performance.now();
        renameSync(`${bed.db}.new`, bed.db);
        await served.until('the change', ({ of, state }) => of === 'webhooks' && state === 'applied');
        reloads.push(performance.now() - written);
      }
      const list = await timed(() => bed.run('webhook', 'list', '--json'));
      const add = await timed(() => bed.run('webhook', 'add', 'github', '--name', 'one more'));
      const held = JSON.parse(readFileSync(bed.db, 'utf8')) as { readonly webhooks: readonly object[] };
      if (held.webhooks.length !== count + 1) throw new Error(`${held.webhooks.length} webhooks are left`);
      return { start, route, reload: median(reloads), list, add };
    } finally {
      await served.stop();
    }
  } finally {
    bed.remove();
  }
}

/** Mean time of a request to the last webhook that is refused for its signature: routed and verified, not stored. */
async function routeTime(url: string, count: number): Promise<number> {
  const body = '{}';
  const signature = createHmac('sha256', 'somebody else').update(body).digest('hex');
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` };
  const target = url + record(count).endpoint;
  const request = async () => {
    const { status } = await fetch(target, { method: 'POST', headers, body });
    if (status !== 401) throw new Error(`answered ${status}`);
  };
  for (let warm = 0; warm < REQUESTS / 4; warm++) await request();
  const total = await timed(async () => {
    for (let index = 0; index < REQUESTS; index++) await request();
  });
  return total / REQUESTS;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

const few = await measure(FEW);
const many = await measure(MANY);
console.log(
  `${''.padEnd(8)}${`${FEW} webhooks`.padStart(16)}${`${MANY} webhooks`.padStart(18)}${'times'.padStart(8)}`,
);
for (const key of ['start', 'route', 'reload', 'list', 'add'] as const) {
  const [a, b] = [few[key], many[key]];
  console.log(
    `${key.padEnd(8)}${`${a.toFixed(1)} ms`.padStart(16)}${`${b.toFixed(1)} ms`.padStart(18)}${(b / a).toFixed(1).padStart(8)}`,
  );
}
