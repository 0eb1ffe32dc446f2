import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { comment } from '../support/github.ts';
import { githubScene } from './support.ts';

test('the log of an organisation: what was lost of all its repositories is sent again, then fetched; each once', async () => {
  const scene = await githubScene({ isOrganisation: true, pageSize: 2 });
  const { gate, log, hook, api, engine, tunnel } = scene;
  expect(hook.place).toBe('/orgs/acme');
  await gate.close();
  for (let issue = 1; issue <= 5; issue += 1) {
    const payload = comment('@agent analyze it', { issue });
    Object.assign(payload.repository as object, { full_name: `acme/repository-${issue}` });
    await log.send(hook, 'issue_comment', payload);
  }
  await gate.open();
  expect(await scene.sweep()).toMatchObject({ missing: 5, redelivered: 5, fetched: 0, problem: null });
  await gate.close();
  tunnel.isUp = false;
  await log.send(hook, 'issue_comment', comment('@agent analyze it', { issue: 6 }));
  expect(await scene.sweep()).toMatchObject({ missing: 1, redelivered: 0, fetched: 1, problem: null });
  await eventually('the queue to be empty', () => engine.queue.depth() === 0);
  const tasks = engine.context.store.tasks({ limit: 100 });
  expect(tasks.map(({ trust }) => trust).toSorted()).toEqual(['fetched', ...Array(5).fill('verified')]);
  const asked = api.calls.filter(({ path }) => path.includes('/deliveries'));
  expect(asked.every(({ path }) => path.startsWith('/orgs/acme/hooks/'))).toBe(true);
});

test('a page in place of the log: the sweep says so, and goes on where it was', async () => {
  const scene = await githubScene();
  const { gate, log, hook, api } = scene;
  await gate.close();
  await log.send(hook, 'issue_comment', comment('@agent analyze it'));
  await gate.open();
  api.failNext({ status: 200, body: '<!doctype html><title>Sign in</title>' });
  const report = await scene.sweep();
  expect(report).toMatchObject({ problem: expect.stringContaining('no JSON'), through: report.since });
  expect(await scene.sweep()).toMatchObject({ missing: 1, redelivered: 1, problem: null });
});

test('a redirect is no arrival, although GitHub lists it as a success', async () => {
  const scene = await githubScene();
  const { gate, log, hook, api } = scene;
  await gate.close();
  await log.send(hook, 'issue_comment', comment('@agent analyze it'));
  await gate.open();
  const [attempt] = log.attempts;
  const listed = {
    ...{ id: String(attempt?.id), guid: attempt?.guid, delivered_at: new Date().toISOString() },
    ...{ redelivery: false, duration: 0.1, status: 'OK', status_code: 302, event: 'issue_comment' },
    ...{ action: 'created', installation_id: null, repository_id: null, throttled_at: null },
  };
  const body = JSON.stringify([listed]).replace(/"id":"(\d+)"/, '"id":$1');
  api.failNext({ status: 200, body }, ({ path }) => path.endsWith('/deliveries'));
  expect(await scene.sweep()).toMatchObject({ missing: 1, redelivered: 1, problem: null });
});
