import { expect, test } from 'vitest';
import { createReadiness } from '../../src/server/api/readiness.ts';
import { cli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { ask, expectJson } from '../support/management.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { serverForTest, settled } from '../support/server.ts';

test('E16: /healthz says on both ports, without a token, that it lives; /readyz on management with the token that it can store', async () => {
  const sandbox = await sandboxForTest();
  const server = await serverForTest(sandbox);
  expect(await expectJson(200, server, 'GET', '/readyz')).toEqual({ status: 'ready' });
  expect(await expectJson(200, server, 'GET', '/healthz')).toEqual({
    status: 'ok',
    socket: 'management',
  });
  const host = ['host', `127.0.0.1:${server.managementPort}`];
  for (const path of ['/readyz', '/metrics', '/healthz/', '/healthz?token=x']) {
    expect((await ask(server, 'GET', path, { rawHeaders: host })).status).toBe(401);
  }
  const alive = await ask(server, 'GET', '/healthz', { rawHeaders: host });
  expect([alive.status, await (await fetch(`${server.url}/healthz`)).json()]).toEqual([
    200,
    { status: 'ok' },
  ]);
  for (const path of ['/readyz', '/metrics']) expect((await fetch(server.url + path)).status).toBe(404);
  expect((await cli(sandbox, 'api', 'GET', '/readyz')).stdout).toContain('ready');
});

const source = {
  dataFolder: '/',
  store: { probe: async () => undefined },
  queueDepth: () => 0,
  queueLimit: 10,
  now: () => performance.now(),
};

test('it is not ready, and says why, when the disk, the store or the queue can take no more', async () => {
  expect(await createReadiness(source)()).toEqual([]);
  const stopped = { probe: () => Promise.reject(new Error('The store x was closed: its writer has ended.')) };
  expect(await createReadiness({ ...source, store: stopped })()).toEqual([
    'The store x was closed: its writer has ended.',
  ]);
  expect(await createReadiness({ ...source, queueDepth: () => 10 })()).toEqual([
    '10 deliveries wait already',
  ]);
  const [gone] = await createReadiness({ ...source, dataFolder: '/nowhere/at/all' })();
  expect(gone).toMatch(/^\/nowhere\/at\/all can't be looked at: ENOENT/);
  const late = { probe: () => new Promise<void>(() => undefined) };
  expect(await createReadiness({ ...source, store: late })()).toEqual(['a write takes longer than 3 s']);
});

test('who asks often causes one write a second, not one each', async () => {
  let probes = 0;
  let now = 0;
  const store = {
    probe: async () => {
      probes += 1;
    },
  };
  const ready = createReadiness({ ...source, store, now: () => now });
  await Promise.all(Array.from({ length: 50 }, ready));
  expect(probes).toBe(1);
  now = 1_001;
  await ready();
  expect(probes).toBe(2);
});

test('/metrics counts deliveries by webhook, provider and outcome, and tells of queue, outbox, loop and process', async () => {
  const sandbox = await sandboxForTest();
  const server = await serverForTest(sandbox);
  const body = comment('@agent analyze');
  const { id } = await signedPost(server.url, body, { deliveryId: 'the same' });
  await settled(sandbox, id);
  expect((await signedPost(server.url, body, { deliveryId: 'the same' })).status).toBe(200);
  expect((await signedPost(server.url, body, { secret: 'wrong' })).status).toBe(401);
  expect((await signedPost(server.url, '{', {})).status).toBe(400);
  await fetch(`${server.url}/webhooks/nobody`, { method: 'POST' });

  const text = await eventually('the settled one', async () => {
    const answer = await ask(server, 'GET', '/metrics');
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    return answer.text.includes('hookctl_settled_total{status="processed"} 1') && answer.text;
  });
  const github = 'webhook="github",provider="github",owner="operator"';
  const lines = [
    `hookctl_deliveries_total{${github},outcome="accepted"} 1`,
    `hookctl_deliveries_total{${github},outcome="duplicate"} 1`,
    `hookctl_deliveries_total{${github},outcome="rejected"} 1`,
    `hookctl_deliveries_total{${github},outcome="unparsed"} 1`,
    'hookctl_answers_total{status="404"} 1',
    'hookctl_answers_total{status="202"} 1',
    'hookctl_ack_seconds_count 5',
    'hookctl_ack_seconds_bucket{le="+Inf"} 5',
    'hookctl_dispatch_seconds_count 1',
    'hookctl_queue_depth 0',
    'hookctl_queue_age_seconds 0',
    'hookctl_outbox{status="waiting"} 0',
    'hookctl_outbox{status="sent"} 0',
  ];
  for (const line of lines) expect(text.split('\n')).toContain(line);
  expect(text).toMatch(/^hookctl_event_loop_delay_seconds\{quantile="0\.99"\} [\d.e-]+$/m);
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
  expect(text).toMatch(/^process_cpu_seconds_total [\d.]+$/m);
  // Each line is a comment or a sample, and each metric is described once.
  for (const line of text.split('\n').filter((line) => line !== '')) {
    expect(line).toMatch(/^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})? \S+)$/);
  }
  const types = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
  expect(new Set(types).size).toBe(types.length);
});
