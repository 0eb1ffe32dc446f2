import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BROWSER_MODULES,
  type Browser,
  findBrowser,
  installed,
  launch,
  type Page,
} from '../../support/browser.ts';
import { type Bench, type Figure, figure, type Line } from '../bench.ts';
import { idle, makeUser, type Serving, serve, type User } from '../hookctl.ts';
import { load } from '../load.ts';

const PER_SECOND = 1_000;
const NO_BROWSER = 'there is no Chromium here';

/** The dashboard in a real browser: how soon it shows something, and whether many events or rows make it slow. */
export const page: Line = {
  name: 'page',

  async measure(bench) {
    const executable = findBrowser();
    const seen: Seen = { paint: [], appears: [], frame: [], ratio: [], rates: [] };
    let note = NO_BROWSER;
    if (executable !== undefined) {
      const modules = installed(bench.folder, BROWSER_MODULES);
      const browser = await launch({ executable, modules, profile: join(bench.folder, 'browser') });
      try {
        note = await measure(bench, browser, seen);
      } finally {
        await browser.close();
      }
    }
    return { figures: figuresOf(seen, executable === undefined ? NO_BROWSER : null, note) };
  },
};

/** One value of each round. */
interface Seen {
  readonly paint: number[];
  readonly appears: number[];
  readonly frame: number[];
  readonly ratio: number[];
  /** Deliveries a second that came meanwhile. */
  readonly rates: number[];
}

function figuresOf(seen: Seen, none: string | null, size: string): readonly Figure[] {
  return [
    figure(
      {
        what: 'dashboard: first paint',
        against: 'from the navigation on',
        unit: 'ms',
        must: { atMost: 300 },
        note: none,
      },
      seen.paint,
    ),
    figure(
      {
        what: 'dashboard: a delivery appears',
        against: 'from the request of its sender on',
        unit: 'ms',
        must: { atMost: 500 },
        note: none,
      },
      seen.appears,
    ),
    figure(
      {
        what: 'dashboard: the longest wait for a frame while deliveries come as fast as they are accepted',
        against: 'the list of deliveries, which follows them',
        unit: 'ms',
        must: { atMost: 200 },
        note: none ?? `${seen.rates.map(Math.round).join(', ')} deliveries/s came`,
      },
      seen.frame,
    ),
    figure(
      {
        what: `dashboard: until the list of deliveries is there, with ${size} stored`,
        against: 'the same with 1,000',
        must: { atMost: 1.3 },
        note: none,
      },
      seen.ratio,
    ),
  ];
}

/** Returns how many deliveries the fuller store holds. */
async function measure(bench: Bench, browser: Browser, seen: Seen): Promise<string> {
  const many = bench.quick ? 10_000 : 100_000;
  const users = { few: makeUser(bench, 'page-few'), many: makeUser(bench, 'page-many') };
  const servers = { few: await serve(bench, users.few), many: await serve(bench, users.many) };
  await load(bench, { origin: servers.few.origin, requests: 1_000 });
  await load(bench, { origin: servers.many.origin, requests: many });
  await Promise.all([idle(servers.few), idle(servers.many)]);
  for (let round = 0; round <= (bench.quick ? 3 : 10); round++) {
    const few = await opened(browser, servers.few, users.few);
    const full = await opened(browser, servers.many, users.many);
    if (round > 0) {
      seen.paint.push(full.paint);
      seen.ratio.push(full.listed / few.listed);
      seen.appears.push(await appears(bench, full.page, servers.many));
    }
    await Promise.all([few.page.close(), full.page.close()]);
  }
  bench.say(`page: first paints ${rounded(seen.paint)}, deliveries appear after ${rounded(seen.appears)}`);
  for (let round = 0; round < (bench.quick ? 1 : 3); round++) {
    const { page } = await opened(browser, servers.many, users.many);
    seen.frame.push(await longestFrame(bench, page, servers.many, seen.rates));
    await page.close();
  }
  bench.say(`page: longest waits for a frame ${rounded(seen.frame)}`);
  await Promise.all([servers.few.stop(), servers.many.stop()]);
  return many.toLocaleString('en-US');
}

const rounded = (times: readonly number[]) => times.map((time) => `${Math.round(time)} ms`).join(', ');

/** The page with the list, once its first row is there. */
async function opened(browser: Browser, { get }: Serving, { data }: User) {
  const { server } = await get<{ server: { management_url: string } }>('/api/status');
  const page = await browser.newPage();
  const token = readFileSync(join(data, 'token'), 'utf8').trim();
  await page.goto(`${server.management_url}/dashboard/deliveries#token=${token}`, { waitUntil: 'load' });
  const listed = await page.evaluate(
    "new Promise((resolve) => { const look = () => document.querySelector('.list a') ? resolve(performance.now()) : requestAnimationFrame(look); look(); })",
  );
  const paint = await page.evaluate(
    "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? performance.now()",
  );
  await page.waitForFunction("document.querySelector('[role=status]')?.textContent === 'live'");
  return { page, listed: Number(listed), paint: Number(paint) };
}

const FIRST = "document.querySelector('.list a')?.dataset.id";

async function appears(bench: Bench, page: Page, { origin }: Serving): Promise<number> {
  await page.evaluate(
    `window.seen = new Promise((resolve) => { const before = ${FIRST}; const look = () => ${FIRST} !== before ? resolve(performance.timeOrigin + performance.now()) : requestAnimationFrame(look); look(); }); true`,
  );
  const { startedAt } = await load(bench, { origin, requests: 1, connections: 1 });
  return Number(await page.evaluate('window.seen')) - startedAt;
}

/** The longest time between two frames while events come, and until the list shows the last of them. */
async function longestFrame(
  bench: Bench,
  page: Page,
  { origin, get }: Serving,
  rates: number[],
): Promise<number> {
  await page.evaluate(
    'window.longest = 0; window.frame = (before) => requestAnimationFrame((now) => { window.longest = Math.max(window.longest, now - before); window.frame(now); }); window.frame(performance.now()); true',
  );
  const seconds = bench.quick ? 3 : 10;
  const { perSecond } = await load(bench, {
    origin,
    requests: PER_SECOND * seconds,
  });
  rates.push(perSecond);
  const { items } = await get<{ items: readonly { id: string }[] }>('/api/deliveries?limit=1');
  await page.waitForFunction(`${FIRST} === ${JSON.stringify(items[0]?.id)}`, {
    timeout: 10_000,
    polling: 50,
  });
  return Number(await page.evaluate('window.longest'));
}
