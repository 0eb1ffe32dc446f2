/**
 * `npm run test:connect`: a quick tunnel changes its URL ten times under load. The hooks follow, their secrets and events are
 * untouched, and what was sent to a URL that was gone is recovered: no delivery is lost, none has two tasks.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { comment } from '../support/github.ts';
import { deliveryLog } from '../support/hook-apis/delivery-log.ts';
import { githubApi } from '../support/hook-apis/github.ts';
import { startLoopback } from '../support/hook-apis/loopback.ts';
import { tell } from '../support/in-process.ts';
import { readStore, serverForTest } from '../support/server.ts';
import { tunnelLines, tunnelSandbox } from '../support/tunnel.ts';

const CHANGES = 10;
const FOLLOW_MS = 5_000;
const TARGETS = ['acme/api', 'acme/web', 'acme/docs'];
const LOST = 'http://127.0.0.1:9/';
const YAML = `tunnel: cloudflared
recover: { every: 3s }
webhooks: { github: { commands: [{ name: analyze }] } }
`;

const results = { passed: 0, failed: 1 };
afterAll(() => console.log(`${results.passed} passed, ${results.failed} failed, 0 skipped`));

test('the tunnel changes its URL ten times under load: nothing is lost, hooks follow, secrets stay', async () => {
  let reach = (_: string): string => LOST;
  const log = deliveryLog(githubApi, { reach: (url) => reach(url) });
  const api = await startLoopback(log.spec);
  const credentials = `credentials: { github: { tokenEnv: TOKEN, baseUrl: '${api.url()}' } }\n`;
  const {
    sandbox: plain,
    edgeUrl,
    pid,
  } = await tunnelSandbox({ mode: 'new-name' }, { 'webhooks.yml': YAML + credentials });
  const sandbox = { ...plain, env: { ...plain.env, TOKEN: 'token-of-github' } };
  const server = await serverForTest(sandbox);
  const publicUrl = () => tunnelLines(server).findLast(({ phase }) => phase === 'up')?.url;
  await eventually('the tunnel', () => publicUrl() !== undefined);
  let dead = '';
  reach = (url) => {
    const { origin, pathname, search } = new URL(url);
    return origin === publicUrl() && origin !== dead ? edgeUrl() + pathname + search : LOST;
  };
  expect((await tell(sandbox, 'connect', 'github', ...TARGETS, '--wait', '0')).code).toBe(0);
  expect(api.hooks).toHaveLength(TARGETS.length);
  const before = structuredClone(api.hooks);

  let isOver = false;
  let issue = 0;
  const load = async (hook: (typeof api.hooks)[number]) => {
    while (!isOver) {
      issue += 1;
      await log.send(hook, 'issue_comment', comment('@agent analyze it', { issue }));
      await delay(700);
    }
  };
  const loads = api.hooks.map(load);
  const took: number[] = [];
  for (let change = 0; change < CHANGES; change += 1) {
    await delay(1_000);
    const former = publicUrl();
    dead = String(former);
    process.kill(pid(), 'SIGKILL');
    await eventually('another URL', () => publicUrl() !== former, 60_000);
    const from = performance.now();
    await eventually(
      'the hooks',
      () => api.hooks.every(({ url }) => url.startsWith(`${publicUrl()}/`)),
      60_000,
    );
    took.push(Math.round(performance.now() - from));
  }
  isOver = true;
  await Promise.all(loads);
  await log.idle();
  const sent = issue;
  const tasks = () => readStore(sandbox, (reader) => reader.tasks({ limit: 5_000 }));
  await eventually('a task of each', () => tasks().length >= sent, 150_000);
  await delay(4_000);

  const perIssue = Map.groupBy(tasks(), ({ externalId }) => externalId);
  const lost = log.attempts.filter(
    ({ statusCode, isRedelivery }) => statusCode !== 202 && !isRedelivery,
  ).length;
  console.log(
    `${sent} sent, ${lost} to a URL that was gone, ${perIssue.size} with a task; hooks followed in ${took.join(', ')} ms`,
  );
  expect([perIssue.size, tasks().length]).toEqual([sent, sent]);
  expect(Math.max(...took)).toBeLessThan(FOLLOW_MS);
  expect(lost).toBeGreaterThan(0);
  const plainHooks = (hooks: typeof before) => hooks.map(({ url: _, ...rest }) => rest);
  expect(plainHooks(api.hooks)).toEqual(plainHooks(before));
  results.failed = 0;
  results.passed = 1;
});
