import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { comment } from '../support/github.ts';
import { githubScene, type Scene } from './support.ts';

/** Trusts of what was taken in under a sender's id, without duplicates. */
async function trusts({ engine }: Scene, guid: string) {
  await engine.context.store.indexed();
  return engine.context.store
    .deliveries({ limit: 500 })
    .filter((each) => each.senderDeliveryId === guid && !['duplicate', 'rejected'].includes(each.status))
    .map(({ trust }) => trust);
}

const tasksOf = ({ engine }: Scene) => engine.context.store.tasks({ limit: 500 });
const settled = (scene: Scene) =>
  eventually('the queue to be empty', () => (scene.engine.queue.depth() === 0 ? true : null));

test('what was lost is sent again while the tunnel is up, verified, and made a task once', async () => {
  const scene = await githubScene();
  const { gate, log, hook } = scene;
  const here = await log.send(hook, 'issue_comment', comment('@agent analyze one', { issue: 1 }));
  await gate.close();
  const lost = await log.send(hook, 'issue_comment', comment('@agent analyze two', { issue: 2 }));
  await gate.open();
  const report = await scene.sweep();
  expect(report).toMatchObject({ missing: 1, redelivered: 1, fetched: 0, problem: null });
  expect(log.redelivered).toEqual([lost]);
  await settled(scene);
  expect(await trusts(scene, lost)).toEqual(['verified']);
  expect(await trusts(scene, here)).toEqual(['verified']);
  expect(tasksOf(scene).map(({ status }) => status)).toEqual(['queued', 'queued']);
  expect(await scene.sweep()).toMatchObject({ missing: 0, redelivered: 0 });
  expect(log.redelivered).toEqual([lost]);
});

test('without a tunnel it is read from the log: fetched, its task waits, and the sender’s own redelivery is a duplicate', async () => {
  const scene = await githubScene();
  const { gate, log, hook, tunnel, engine } = scene;
  await gate.close();
  tunnel.isUp = false;
  const payload = comment('@agent analyze it');
  const guid = await log.send(hook, 'issue_comment', payload);
  expect(await scene.sweep()).toMatchObject({ missing: 1, redelivered: 0, fetched: 1, problem: null });
  await settled(scene);
  expect(await trusts(scene, guid)).toEqual(['fetched']);
  expect(tasksOf(scene).map(({ status }) => status)).toEqual(['waiting_approval']);
  await gate.open();
  const [delivery] = engine.context.store.deliveries();
  expect(delivery?.headers).toMatchObject({ 'x-github-hook-id': hook.id, 'x-github-event': 'issue_comment' });
  expect(delivery?.headers).not.toHaveProperty('x-hub-signature-256');
  expect(await scene.sweep()).toMatchObject({ missing: 0 });
  expect(tasksOf(scene)).toHaveLength(1);
});

test('what does not come although it was sent again is read from the log', async () => {
  const scene = await githubScene();
  const { gate, log, hook } = scene;
  await gate.close();
  const guid = await log.send(hook, 'issue_comment', comment('@agent analyze it'));
  expect(await scene.sweep({ arrivalMs: 300 })).toMatchObject({ missing: 1, redelivered: 0, fetched: 1 });
  expect(log.redelivered).toEqual([guid]);
  expect(await trusts(scene, guid)).toEqual(['fetched']);
});

test('a secret that does not fit is no reason to wait: what is refused is read from the log at once', async () => {
  const scene = await githubScene();
  scene.hook.secret = 'another';
  const guid = await scene.log.send(scene.hook, 'issue_comment', comment('@agent analyze it'));
  const started = performance.now();
  expect(await scene.sweep({ arrivalMs: 60_000 })).toMatchObject({ missing: 1, redelivered: 0, fetched: 1 });
  expect(performance.now() - started).toBeLessThan(20_000);
  expect(await trusts(scene, guid)).toEqual(['fetched']);
});

test('what is here although its answer was lost is not taken in again; a dry run changes nothing', async () => {
  const scene = await githubScene();
  const { log, hook, gate } = scene;
  await log.send(hook, 'issue_comment', comment('@agent analyze it'));
  // The answer never reached GitHub.
  Object.assign(log.attempts[0] ?? {}, { status: 'timed out', statusCode: 0 });
  await gate.close();
  const lost = await log.send(hook, 'issues', { action: 'labeled' });
  const found = await scene.sweep({ isDryRun: true });
  expect(found).toMatchObject({ listed: 2, missing: 1, redelivered: 0, fetched: 0 });
  expect(found.lost.map(({ deliveryId }) => deliveryId)).toEqual([lost]);
  expect(log.redelivered).toEqual([]);
  expect(scene.engine.context.store.sweeps()).toEqual([]);
});

test('ids beyond 2^53 keep all of their digits, and pages may shift while they are read', async () => {
  const scene = await githubScene({ paging: 'page', pageSize: 3 });
  const { gate, log, hook, api } = scene;
  await gate.close();
  const lost: string[] = [];
  for (let issue = 1; issue <= 10; issue += 1)
    lost.push(await log.send(hook, 'issue_comment', comment('@agent analyze it', { issue })));
  // With each page that is read another delivery comes, and pushes an older one to the next page.
  let more = 0;
  const coming: Promise<string>[] = [];
  api.onCall = () => {
    if (more < 4)
      coming.push(log.send(hook, 'issue_comment', comment('@agent analyze it', { issue: 20 + more++ })));
  };
  scene.tunnel.isUp = false;
  expect(await scene.sweep()).toMatchObject({ problem: null });
  api.onCall = null;
  lost.push(...(await Promise.all(coming)));
  expect((await scene.sweep()).problem).toBeNull();
  await settled(scene);
  const ids = scene.engine.context.store.deliveries({ limit: 100 }).map((each) => each.senderDeliveryId);
  expect(ids.toSorted()).toEqual(lost.toSorted());
  expect(tasksOf(scene)).toHaveLength(14);
  expect(log.attempts.every(({ id }) => id > 2n ** 53n)).toBe(true);
});

test('limits are waited for: primary, secondary and Retry-After; a refusal that stays is told and tried again', async () => {
  const scene = await githubScene();
  const { gate, log, hook, api } = scene;
  await gate.close();
  const guid = await log.send(hook, 'issue_comment', comment('@agent analyze it'));
  await gate.open();
  const isList = ({ method, path }: { method: string; path: string }) =>
    method === 'GET' && path.endsWith('/deliveries');
  api.failNext({ status: 429, headers: { 'retry-after': '1' } }, isList);
  const reset = String(Math.ceil(Date.now() / 1000) + 1);
  api.failNext(
    { status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset } },
    isList,
  );
  const secondary = '{"message":"You have exceeded a secondary rate limit. Please wait a few minutes."}';
  api.failNext(
    { status: 403, headers: { 'retry-after': '1' }, body: secondary },
    ({ method }) => method === 'POST',
  );
  expect(await scene.sweep()).toMatchObject({ missing: 1, redelivered: 1, problem: null });
  expect(await trusts(scene, guid)).toEqual(['verified']);

  await gate.close();
  const later = await log.send(hook, 'issue_comment', comment('@agent analyze it', { issue: 2 }));
  api.failNext({ status: 404 }, isList);
  const failed = await scene.sweep();
  expect(failed.problem).toContain('404');
  expect(failed.fix).toContain('admin:repo_hook');
  expect(scene.engine.context.store.sweeps()).toMatchObject([{ problem: failed.problem }]);
  scene.tunnel.isUp = false;
  expect(await scene.sweep()).toMatchObject({ missing: 1, fetched: 1, problem: null });
  expect(await trusts(scene, later)).toEqual(['fetched']);
});

test('the sender’s clock counts: hours before or behind ours nothing is missed, and what its log no longer has is said', async () => {
  for (const skew of [-5 * 3_600_000, 5 * 3_600_000]) {
    const scene = await githubScene({ now: () => Date.now() + skew });
    await scene.gate.close();
    const guid = await scene.log.send(scene.hook, 'issue_comment', comment('@agent analyze it'));
    scene.tunnel.isUp = false;
    const report = await scene.sweep();
    expect(report, String(skew)).toMatchObject({ missing: 1, fetched: 1, windowStart: null });
    expect(await trusts(scene, guid)).toEqual(['fetched']);
  }
  const scene = await githubScene();
  const long = await scene.sweep({ since: Date.now() - 30 * 24 * 3_600_000 });
  expect(Date.now() - (long.windowStart ?? 0)).toBeLessThan(72 * 3_600_000);
});
