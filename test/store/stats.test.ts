import { expect, test } from 'vitest';
import type { Stat, StatsFilter } from '../../src/store/stats.ts';
import { changeTask } from '../../src/tasks/transition.ts';
import { onIssue, startEngine, type TestEngine } from '../support/engine.ts';
import { newDelivery } from './records.ts';

const YAML = `
webhooks:
  github:
    commands: [{ name: analyze, targetAgent: planning }, { name: fix }]
    variants: [{ name: a }, { name: b, targetAgent: executor }]
`;
const DAY = 86_400_000;

/**
 * Six comments in two days, of which two ask for fix; the tasks of analyze are completed, those of fix fail. The first takes a
 * minute, each further one a minute more.
 */
async function twoDays(): Promise<{ engine: TestEngine; start: number }> {
  const start = Date.UTC(2026, 0, 10);
  let now = start;
  const engine = await startEngine({ yaml: YAML, now: () => now });
  for (let at = 0; at < 6; at += 1) {
    now = start + at * 8 * 3_600_000;
    const text = at % 3 === 2 ? '@agent fix' : '@agent analyze';
    const { tasks } = await engine.deliver('github', 'issue_comment.created', onIssue(20 + at), text);
    now += (at + 1) * 60_000;
    for (const { id } of tasks) {
      await changeTask(engine.context, id, 'start', { actor: 'cli' }, engine.folder);
      const report = { actor: 'cli', spent: { costUsd: 0.5 } };
      await changeTask(engine.context, id, at % 3 === 2 ? 'fail' : 'complete', report, engine.folder);
    }
  }
  const { store, ids } = engine.context;
  // Neither counts: a sample, and a duplicate of it.
  for (let again = 0; again < 2; again += 1) {
    const sample = { isSample: true, receivedAt: now, dedupeKeys: ['id:twice'] };
    await store.accept(newDelivery(ids.next('dlv'), again === 0 ? sample : { ...sample, isSample: false }));
  }
  await store.indexed();
  return { engine, start };
}

test('stats: by webhook, command, agent and variant, with rates, times and cost', async () => {
  const { engine, start } = await twoDays();
  const stats = (by: StatsFilter['by'], more: Partial<StatsFilter> = {}) =>
    engine.context.store.stats({ by, since: start, until: start + 2 * DAY - 1, ...more });
  expect(stats('webhook')).toEqual([
    {
      ...{ name: 'github', at: start, deliveries: 6, processed: 6, undone: 0, settleMs: 0, settleP95Ms: 0 },
      ...{ tasks: 6, completed: 4, failed: 2, cancelled: 0, taskMs: 180_000, taskP95Ms: 360_000 },
      ...{ costUsd: 3, knownCosts: 6 },
    },
  ] satisfies Stat[]);
  const short = (rows: readonly Stat[]) =>
    rows.map(({ name, deliveries, tasks, completed, failed }) => [
      name,
      deliveries,
      tasks,
      completed,
      failed,
    ]);
  expect(short(stats('command'))).toEqual([
    ['github/analyze', 4, 4, 4, 0],
    ['github/fix', 2, 2, 0, 2],
  ]);
  const agents = stats('agent');
  expect(agents.every(({ deliveries }) => deliveries === null)).toBe(true);
  expect(agents.reduce((sum, { tasks }) => sum + tasks, 0)).toBe(6);
  const variants = stats('variant');
  expect(variants.map(({ name }) => name)).toEqual(['github/a', 'github/b']);
  expect(variants.reduce((sum, { completed }) => sum + completed, 0)).toBe(4);
  expect(stats('webhook', { webhook: 'jira' })).toEqual([]);
});

test('stats: over time, each step has what came in it', async () => {
  const { engine, start } = await twoDays();
  const rows = engine.context.store.stats({
    ...{ by: 'webhook', since: start, until: start + 2 * DAY - 1, stepMs: DAY },
  });
  expect(rows.map(({ at, deliveries, tasks, failed }) => [at, deliveries, tasks, failed])).toEqual([
    [start, 3, 3, 1],
    [start + DAY, 3, 3, 1],
  ]);
});
