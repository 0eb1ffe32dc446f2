import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { storedProblems } from '../../src/server/problems.ts';
import { freshStore, NOW, newDelivery, outcome, taskInFlow } from '../store/fixtures.ts';
import { eventually } from '../support/eventually.ts';
import { account, comment, record, startBench } from './support.ts';

/** A port on which nothing listens: one that was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('E1: posts to a closed port wait with the reason and the time of the next try, and are a problem', async () => {
  const base = `http://127.0.0.1:${await closedPort()}`;
  const bench = await startBench({
    accountOf: (provider) => account(provider, base),
    timing: { baseMs: 10, capMs: 40, settleMs: 20, openMs: 60_000 },
  });
  const { store, outbox } = bench;
  const items = Array.from({ length: 6 }, () => comment('github'));
  for (const item of items) await record(store, 'github', item);
  outbox.wake();
  const waiting = await eventually('all six to have a reason', () => {
    const rows = store.waitingOutgoing(10);
    return rows.length === 6 && rows.every(({ reason }) => reason !== null) ? rows : null;
  });
  for (const { reason, nextAttemptAt } of waiting) {
    expect(reason).toMatch(/ECONNREFUSED|does not answer/);
    expect(Number.isInteger(nextAttemptAt)).toBe(true);
  }
  const problems = storedProblems({ store, now: Date.now() });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatchObject({ key: 'outbox-waits:github' });
  expect(problems[0]?.text).toMatch(
    /^6 posts for github wait, tried \d+ times: .*The next try is at \d{4}-.*hookctl outbox list --status waiting$/,
  );
});

test('E1: posts that were given up one after another are a problem until one is sent', async () => {
  const store = await freshStore();
  const settle = async (status: 'failed' | 'sent', settledAt: number) => {
    const item = comment('jira');
    await record(store, 'jira', item);
    await store.noteOutgoing(item.id, {
      ...{ status, settledAt, reason: status === 'failed' ? '403 Forbidden' : null },
      ...{ uncertain: false, nextAttemptAt: 0, remoteId: null },
    });
  };
  const keys = () => storedProblems({ store, now: 10_000 }).map(({ key }) => key);
  for (const at of [1, 2]) await settle('failed', at);
  expect(keys()).toEqual([]);
  await settle('failed', 3);
  expect(keys()).toEqual(['outbox-failed:jira']);
  await settle('sent', 4);
  expect(keys()).toEqual([]);
});

test('E1: no fraction of a clock or of an agent’s figures is refused by a column of whole numbers', async () => {
  const store = await freshStore();
  const item = comment('github');
  const delivery = await record(store, 'github', item);
  await store.noteOutgoing(item.id, {
    ...{ status: 'waiting', reason: null, uncertain: false, remoteId: null, settledAt: null },
    nextAttemptAt: 1.5,
  });
  expect(store.outgoing(item.id)?.nextAttemptAt).toBe(2);
  await store.accept(newDelivery('dlv-late'));
  await store.postpone('dlv-late', 'a try failed', 10.25);
  expect(store.delivery('dlv-late')?.nextAttemptAt).toBe(11);
  await store.recordOutcome(outcome('dlv-late', { tasks: [taskInFlow('task-1')] }));
  const spent = { costUsd: 0.25, inputTokens: 10.5, outputTokens: 0.1 };
  const change = {
    ...({ taskId: 'task-1', event: 'start', from: 'queued', to: 'running', isEnd: false } as const),
    ...{ actor: 'agent', reason: null, result: null, error: null, reply: null, at: NOW },
  };
  const wait = {
    ...({ id: 'run-1', runner: 'command', state: 'waiting', reason: 'soon', at: NOW } as const),
    task: {
      ...{ id: 'task-1', agent: 'planning', owner: 'operator', flowId: 'flow-1' },
      conversationId: 'conv-task-1',
    },
  };
  const files = { folder: '/', logPath: '/log', sessionKey: null, reservedUsd: null };
  await store.startRun({ wait, ...files, change: { ...change, spent: { ...spent, costUsd: null } } });
  await store.endRun({
    ...{ id: 'run-1', state: 'completed', reason: null, exitCode: 0, signal: null, denials: [], at: NOW },
    usage: { ...spent, turns: 1.5 },
    task: {
      kind: 'change',
      change: { ...change, event: 'complete', from: 'running', to: 'completed', isEnd: true, spent },
    },
  });
  expect(store.run('run-1')?.usage).toEqual({ costUsd: 0.25, inputTokens: 11, outputTokens: 1, turns: 2 });
  expect(store.task('task-1')?.usage.inputTokens).toBe(22);
  expect(store.delivery(delivery)).not.toBeNull();
});
