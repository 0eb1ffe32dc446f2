import { expect, test } from 'vitest';
import { agedBodies } from '../../src/deliveries/retention.ts';
import { createLimits } from '../../src/deliveries/rules/limits.ts';
import { rowOf } from '../../src/store/local/log/record.ts';
import type { JsonObject } from '../../src/types.ts';
import { newDelivery } from '../store/records.ts';
import { onIssue, startEngine, type TestEngine } from '../support/engine.ts';

const SINCE = '2026-01-31T12:00:00Z';

/** A webhook of GitHub for each owner, with a secret of its own. */
function webhooksOf(owners: readonly string[], commands: readonly object[]): string {
  const webhooks = owners.map((owner) => ({
    ...{
      webhook_id: `wh-${owner}`,
      provider: 'github',
      name: owner,
      endpoint: `/webhooks/github/wh-${owner}`,
    },
    ...{ owner, labels: ['shop'], secrets: [{ value: `secret of ${owner}` }] },
    commands: commands.map((command, at) => ({ id: `cmd-${owner}-${at}`, ...command })),
    ...{ created_at: SINCE, updated_at: SINCE },
  }));
  return JSON.stringify({ schema_version: 1, webhooks });
}

const ANALYZE = { name: 'analyze', template: 'Analyze {{@argument}}' };

/** The same comment, whoever hears it. */
function sameComment(payload: JsonObject): JsonObject {
  const about = onIssue(42)(payload);
  return { ...about, comment: { ...(about.comment as JsonObject), id: 77 } };
}

function heardBy(engine: TestEngine, name: string) {
  return engine.deliver(name, 'issue_comment.created', sameComment);
}

test('two owners about one issue: each has its own flow, conversation, task and post, and one comment runs for both', async () => {
  const engine = await startEngine({ db: webhooksOf(['ada', 'bob'], [ANALYZE]) });
  const { store } = engine.context;
  const results = [
    await heardBy(engine, 'ada'),
    await heardBy(engine, 'bob'),
    await heardBy(engine, 'github'),
  ];
  const tasks = results.flatMap((result) => result.tasks);
  expect(tasks.map(({ owner, externalId }) => [owner, externalId])).toEqual(
    ['ada', 'bob', 'operator'].map((owner) => [owner, tasks[0]?.externalId]),
  );
  expect(new Set(tasks.map(({ flowId }) => flowId)).size).toBe(3);
  expect(new Set(tasks.map(({ conversationId }) => conversationId)).size).toBe(3);
  await expect(heardBy(engine, 'bob')).rejects.toThrow('the delivery is duplicate');
  for (const owner of ['ada', 'bob']) {
    expect(store.flows({ owner })).toHaveLength(1);
    expect(store.flows({ owner, externalId: tasks[0]?.externalId ?? '' })).toHaveLength(1);
  }
});

test('a delivery keeps its owner: when the webhook gets another one, and when it is replayed', async () => {
  const engine = await startEngine({ db: webhooksOf(['ada'], [ANALYZE]) });
  const { store } = engine.context;
  const { delivery, tasks } = await heardBy(engine, 'ada');
  const webhook = engine.context.snapshot().byName.get('ada');
  const byBob = { ...webhook, owner: 'bob' } as NonNullable<typeof webhook>;
  const snapshot = {
    ...engine.context.snapshot(),
    webhooks: [byBob],
    byWebhookId: new Map([['wh-ada', byBob]]),
  };
  Object.assign(engine.context, { snapshot: () => snapshot });
  expect((await heardBy(engine, 'ada')).delivery.owner).toBe('bob');
  const replayed = await engine.replay(delivery.id, false);
  expect([replayed.delivery.owner, replayed.tasks[0]?.owner]).toEqual(['ada', 'ada']);
  expect(replayed.tasks[0]?.flowId).toBe(tasks[0]?.flowId);
  expect(store.delivery(delivery.id)?.owner).toBe('ada');
});

test('limits of an owner: a command that it may not use does not run, and says where that is written', async () => {
  const engine = await startEngine({
    yaml: `owners:
  ada: { actions: [create_task], agents: [planning] }
`,
    db: webhooksOf(
      ['ada', 'bob'],
      [
        { ...ANALYZE, target_agent: 'planning' },
        { trigger: 'issue_comment.created', action: 'forward', options: { urls: ['https://example.com/x'] } },
        { trigger: 'issue_comment.created', template: 'See', target_agent: 'executor' },
      ],
    ),
  });
  const { delivery, tasks } = await heardBy(engine, 'ada');
  expect(tasks.map(({ agent }) => agent)).toEqual(['planning']);
  const reasons = delivery.decisions.map(({ fired, reason }) => (fired ? 'fired' : reason));
  expect(reasons.toSorted()).toEqual([
    'ada may not use executor: add it to owners.ada.agents in webhooks.yml, then restart hookctl serve',
    'ada may not use forward: add it to owners.ada.actions in webhooks.yml, then restart hookctl serve',
    'fired',
  ]);
  const other = await heardBy(engine, 'bob');
  expect(other.delivery.decisions.every(({ fired }) => fired)).toBe(true);
});

test('limits of an owner: a command that alone would fire leaves the delivery ignored, with the reason', async () => {
  const yaml = 'owners: { ada: { actions: [comment] } }\n';
  const engine = await startEngine({ yaml, db: webhooksOf(['ada'], [ANALYZE]) });
  const { delivery, tasks } = await heardBy(engine, 'ada');
  expect([delivery.status, tasks]).toEqual(['ignored', []]);
  expect(delivery.reason).toContain('ada may not use create_task: add it to owners.ada.actions');
});

test('rate limit of an owner: all its webhooks share it, and another owner’s deliveries do not count', () => {
  let now = 0;
  const limits = createLimits(
    { perSecond: 100, burst: 100 },
    { ada: { rateLimit: { perSecond: 1, burst: 2 } } },
    () => now,
  );
  const wait = (name: string, owner: string) => limits.waitFor({ name, owner });
  expect([wait('one', 'ada'), wait('two', 'ada')]).toEqual([null, null]);
  expect(wait('one', 'ada')).toEqual({ seconds: 1, setting: 'owners.ada.rateLimit' });
  expect([wait('three', 'bob'), wait('four', 'operator')]).toEqual([null, null]);
  now = 1_000;
  expect(wait('two', 'ada')).toBeNull();
});

test('a delivery of the operator: its record in the log is as long as without owners', () => {
  const { owner: _, ...row } = rowOf(newDelivery('dlv-1'));
  expect(JSON.stringify(rowOf(newDelivery('dlv-1')))).toBe(JSON.stringify(row));
  expect(JSON.stringify(rowOf(newDelivery('dlv-1', { owner: 'ada' })))).toContain('"owner":"ada"');
});

test('retention of an owner: its bodies go by its own time, those of others by that of all', () => {
  const DAY = 86_400_000;
  const owners = { ada: { retention: { bodies: DAY } }, bob: { retention: { rows: 90 * DAY } } };
  expect(agedBodies({ age: 30 * DAY, owners }, 100 * DAY)).toEqual([
    { before: 70 * DAY, exceptOwners: ['ada'] },
    { before: 99 * DAY, owner: 'ada' },
  ]);
  expect(agedBodies({ age: 30 * DAY }, 100 * DAY, 80 * DAY)).toEqual([{ before: 80 * DAY }]);
});

test.each([
  ['{ ada: { actions: [creat_task] } }', 'there is no action creat_task'],
  ['{ ada: { repositories: [acme/web] } }', 'there is no line of `repositories` acme/web'],
  [
    '{ ada: { retention: { bodies: 30d, rows: 7d } } }',
    'expected rows that are kept as long as their bodies',
  ],
  ['{ Ada: {} }', 'expected a name of lower-case letters'],
])('owners: %s is refused with its place', async (owners, message) => {
  await expect(startEngine({ yaml: `owners: ${owners}\n` })).rejects.toMatchObject({
    problems: [{ message: expect.stringContaining(message), line: 1 }],
  });
});
