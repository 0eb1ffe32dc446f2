import { expect, test } from 'vitest';
import { findSubject } from '../../src/tasks/flows.ts';
import { onIssue, startEngine, type TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

const YAML = `
webhooks:
  github:
    coalesce: { window: 2s, max: 20s }
    commands:
      - { name: analyze, template: 'Analyze {{@argument}}' }
      - { trigger: issues.labeled, template: 'Labelled {{label.name}}' }
`;

function labeled(engine: TestEngine, name: string) {
  const about = onIssue(42);
  return engine.deliver('github', 'issues.labeled', (payload) => ({ ...about(payload), label: { name } }));
}

test('coalesce: events of one flow that come close together become one task, in their order', async () => {
  const engine = await startEngine({ yaml: YAML });
  const results = await Promise.all(Array.from({ length: 10 }, (_, at) => labeled(engine, `l${at}`)));
  const tasks = engine.context.store.tasks();
  expect(tasks).toHaveLength(1);
  const found = [...(tasks[0]?.prompt ?? '').matchAll(/>(l\d)</g)].map(([, name]) => name);
  expect(found.toSorted()).toEqual(Array.from({ length: 10 }, (_, at) => `l${at}`));
  expect(tasks[0]?.prompt).toContain('Event 10 of 10');
  expect(tasks[0]?.title).toMatch(/\(\+9\)$/);
  const rows = results.map(({ delivery }) => engine.context.store.delivery(delivery.id));
  expect(rows.map((row) => [row?.status, row?.decisions.find(({ fired }) => fired)?.taskIds])).toEqual(
    Array(10).fill(['processed', [tasks[0]?.id]]),
  );
});

test('coalesce: a delivery that waits is pending, and its row says until when', async () => {
  const engine = await startEngine({ yaml: YAML });
  const result = labeled(engine, 'bug');
  const row = await eventually('the delivery waits', () => {
    const [delivery] = engine.context.store.deliveries({ status: 'pending' });
    return delivery?.nextAttemptAt === null ? null : delivery;
  });
  expect(row.reason).toContain('waits for further events');
  expect(row.nextAttemptAt).toBeGreaterThanOrEqual(row.receivedAt + 2_000);
  expect(engine.context.store.tasks()).toEqual([]);
  expect((await result).tasks).toHaveLength(1);
});

test('coalesce: a command by a person closes the window, and its task comes after', async () => {
  const engine = await startEngine({ yaml: YAML.replace('2s, max: 20s', '1h, max: 2h') });
  const waiting = [labeled(engine, 'bug'), labeled(engine, 'ui')];
  await eventually('both wait', () => {
    const pending = engine.context.store.deliveries({ status: 'pending' });
    return pending.filter(({ nextAttemptAt }) => nextAttemptAt !== null).length === 2 || null;
  });
  const { tasks } = await engine.deliver('github', 'issue_comment.created', onIssue(42));
  const all = engine.context.store.tasks().toReversed();
  expect(all.map(({ id, command }) => [id === tasks[0]?.id, command])).toEqual([
    [false, expect.stringContaining('trigger')],
    [true, 'analyze'],
  ]);
  expect(all[0]?.prompt).toMatch(/Event 2 of 2/);
  expect(engine.context.store.deliveries({ status: 'pending' })).toEqual([]);
  const taken = await Promise.all(waiting);
  expect(taken.map(({ delivery }) => delivery.status)).toEqual(['processed', 'processed']);
});

test('coalesce: a command closes windows of flows that were joined while they waited', async () => {
  const engine = await startEngine({ yaml: YAML.replace('2s, max: 20s', '1h, max: 2h') });
  const { store, ids, clock } = engine.context;
  await engine.deliver('github', 'issue_comment.created', onIssue(57));
  const waiting = labeled(engine, 'bug');
  await eventually('it waits', () => store.held({}).length === 1 || null);
  const [one, other] = [42, 57].map((number) => ({
    flowId: findSubject(store, 'operator', { externalId: `github:octo-org/octo-repo#${number}` }).ownId,
    externalId: `github:octo-org/octo-repo#${number}`,
    newConversationId: ids.next('conv'),
  }));
  if (one === undefined || other === undefined) throw new Error('no subjects');
  const [{ flowId } = one] = store.held({});
  const flows = [{ ...one, flowId }, other] as const;
  await store.joinFlows(
    { flows, reason: 'test', actor: 'test', isAsked: true, owner: 'operator' },
    clock.now(),
  );
  const { tasks } = await engine.deliver('github', 'issue_comment.created', onIssue(57));
  expect((await waiting).delivery.status).toBe('processed');
  expect(store.tasks().map(({ flowId: own }) => own)).toEqual(Array(3).fill(tasks[0]?.flowId));
});

test('coalesce: a steady stream is cut at `max`', async () => {
  const engine = await startEngine({ yaml: YAML.replace('2s, max: 20s', '60s, max: 60s') });
  void labeled(engine, 'first').catch(() => undefined);
  const [row] = await eventually('it waits', () => {
    const held = engine.context.store.deliveries({ status: 'pending' });
    return held[0]?.nextAttemptAt == null ? null : held;
  });
  void labeled(engine, 'second').catch(() => undefined);
  await eventually('the second waits', () => engine.context.store.held({}).length === 2 || null);
  expect(engine.context.store.delivery(row?.id ?? '')?.nextAttemptAt).toBe(row?.nextAttemptAt);
});
