import { expect, test } from 'vitest';
import { createEligibility } from '../../src/agents/scheduler/eligibility.ts';
import type { RunLimits } from '../../src/config/project/schema.ts';
import { shownText } from '../../src/types/text.ts';
import { apisForFile } from '../outbox/support.ts';
import { onIssue } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { startAgents } from './support.ts';

const apis = apisForFile();
const DAY_MS = 24 * 3_600_000;

test('500 triggers within a minute: the budget’s runs, the rest held, one notice', async () => {
  const engine = await startAgents({
    yaml: `agents: { planning: { use: command, program: ./quick, concurrency: 4 } }
runs: { perDay: { runs: 10 } }
credentials: { github: { tokenEnv: TOKEN, baseUrl: "${apis().url}" } }\n`,
    env: { TOKEN: 't' },
  });
  const { store } = engine.context;
  const wanted = Array.from({ length: 500 }, (_, index) => index + 1);
  for (let at = 0; at < wanted.length; at += 50) {
    await Promise.all(
      wanted.slice(at, at + 50).map((n) => engine.deliver('github', 'issue_comment.created', onIssue(n))),
    );
  }
  const states = await eventually('all to run or be held', () => {
    const runs = store.tasks({ limit: 1_000 }).map(({ id }) => store.runsOfTask(id).at(-1)?.state ?? 'none');
    const counts = Object.fromEntries(
      [...Map.groupBy(runs, (it) => it)].map(([it, all]) => [it, all.length]),
    );
    return counts.completed === 10 && counts.held === 490 ? counts : null;
  });
  expect(states).toEqual({ completed: 10, held: 490 });
  expect(engine.held).toEqual(['the budget of the day is used up: 10 runs within 24 hours']);
  const notices = store.outbox({ limit: 5_000 }).filter(({ content }) => content.includes('budget'));
  expect(notices.map(({ content }) => shownText(content))).toEqual([
    '✋ the budget of the day is used up: 10 runs within 24 hours. What is asked meanwhile is kept and runs when there is budget again.',
  ]);
});

test('each thread has its own budget, which recovers with time', async () => {
  let now = Date.now();
  const engine = await startAgents({
    yaml: `agents: { brain: { use: command, program: ./quick } }
runs: { perThread: { runs: 1 } }\n`,
    now: () => now,
  });
  const { store } = engine.context;
  const first = await engine.task('One', { externalId: 'x:1' });
  await engine.ended(first.id);
  const second = await engine.task('Two', { externalId: 'x:1' });
  const third = await engine.task('Three', { externalId: 'x:1' });
  const other = await engine.task('Other', { externalId: 'x:2' });
  await engine.ended(other.id);
  await eventually('the others to be held', () =>
    [second, third].every(({ id }) => store.runsOfTask(id)[0]?.state === 'held'),
  );
  expect(store.runsOfTask(second.id)[0]?.reason).toBe(
    'the budget of the thread is used up: 1 run within 24 hours',
  );
  now += DAY_MS + 1;
  engine.scheduler.wake();
  expect((await engine.ended(second.id)).state).toBe('completed');
  await eventually('the third to be held still', () => store.runsOfTask(third.id)[0]?.state === 'held');
});

test('dollars count: what runs cost, and what those may cost that go on', async () => {
  const engine = await startAgents({
    yaml: `agents: { brain: { use: claude, program: ./fake-agent, concurrency: 4, budgetUsd: 0.3 } }
runs: { perDay: { usd: 0.7 } }\n`,
  });
  const { store } = engine.context;
  const tasks = [];
  for (const index of [1, 2, 3]) tasks.push(await engine.task(`Do ${index}`, { externalId: `x:${index}` }));
  const [first, second, third] = tasks.map(({ id }) => id);
  await engine.ended(first ?? '');
  await engine.ended(second ?? '');
  // 0.25 and 0.25 were spent; a third run could take it to 0.80.
  const run = await eventually('the third to be held', () => {
    const [only] = store.runsOfTask(third ?? '');
    return only?.state === 'held' ? only : null;
  });
  expect(run.reason).toBe(
    'the budget of the day is used up: $0.50 of $0.70 within 24 hours, and a run may cost $0.30',
  );
  expect(store.task(third ?? '')?.status).toBe('queued');
});

test('budget: a task waits while running tasks may use up the rest; the next one of its thread waits for it', () => {
  const room = { runs: 10, usd: 1 };
  const limits: RunLimits = {
    concurrency: 4,
    openChildren: 20,
    perDay: room,
    perThread: { runs: 10, usd: 0.4 },
    rateLimit: { tries: 8, wait: 60_000 },
    takeOverAfter: 600_000,
  };
  const task = {
    agent: 'planning',
    conversationId: 'c',
    owner: 'operator',
    dependsOn: [],
    trust: 'verified',
    isBacklog: false,
  } as const;
  const reasonsAt = (endedUsd: number, runningUsd: number) => {
    const eligibility = createEligibility({
      store: {
        spent: () => ({ runs: 1, endedUsd, runningUsd }),
        pausedAgents: () => [],
        attachments: () => [],
        task: () => null,
      },
      agents: { byName: new Map(), missing: [], secretNames: new Set() },
      limits,
      owners: {},
      busy: () => [],
      now: 0,
    });
    return ['task-1', 'task-2'].map((id) => {
      const queued = { ...task, id, flowId: 'flow' };
      const verdict = eligibility.verdictOn(queued);
      eligibility.passed(queued, verdict);
      return verdict.kind === 'start' ? null : verdict.reason;
    });
  };
  const next = 'waiting for an earlier task of the same thread';
  expect(reasonsAt(0.3, 0.8)).toEqual(["running tasks may use up today's budget", next]);
  expect(reasonsAt(0.3, 0.2)).toEqual(["running tasks may use up the thread's budget", next]);
});
