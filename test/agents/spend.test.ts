import { expect, test } from 'vitest';
import { startAgents } from './support.ts';

/** Claude Code's fake costs $0.25 a run. */
const YAML = `
agents:
  planning: { use: claude, program: ./fake-agent, budgetUsd: 0.3, perDay: { runs: 5, usd: 1 }, perWeek: { usd: 1.5 } }
  codex: { use: codex, program: ./fake-agent, model: mock-model, perDay: { runs: 1 } }
  free: { use: command, program: ./quick }
prices: { mock-model: { input: 1000, cachedInput: 500, output: 10000 } }
runs: { rateLimit: { tries: 2, wait: 1s } }
`;

test('spend: the caps of one agent hold its runs, and not those of others', async () => {
  const { task, ended, context, near } = await startAgents({ yaml: YAML });
  const { store } = context;
  const costs: (number | null)[] = [];
  for (let run = 1; run <= 4; run += 1) {
    const { id } = await task('do: answer Done.', { agent: 'planning' });
    if (run === 4) {
      await expect.poll(() => store.runsOfTask(id)[0]?.state).toBe('held');
      expect(store.runsOfTask(id)[0]?.reason).toBe(
        'the budget of planning for the day is used up: $0.75 of $1.00 within 24 hours, and a run may cost $0.30',
      );
    } else costs.push((await ended(id)).usage.costUsd);
  }
  expect(costs).toEqual([0.25, 0.25, 0.25]);
  expect((await ended((await task('work', { agent: 'free' })).id)).state).toBe('completed');
  expect(near).toEqual([]);
});

test('spend: a warning at 80 % of a cap is given once', async () => {
  const { task, ended, near } = await startAgents({ yaml: YAML });
  const { id } = await task('do: answer Done.', { agent: 'codex' });
  await ended(id);
  await expect.poll(() => near.length).toBe(1);
  expect(near).toEqual(['the budget of codex for the day is 100 % spent: 1 of 1 runs within 24 hours']);
});

test('spend: prices of webhooks.yml count the tokens of a program that names no cost', async () => {
  const { task, ended, context } = await startAgents({ yaml: YAML });
  const { store } = context;
  const { id } = await task('do: answer Done.', { agent: 'codex' });
  // 60 tokens read at $1000 a million, 40 of the cache at $500, 20 written at $10,000.
  expect((await ended(id)).usage.costUsd).toBeCloseTo(0.28);
  await ended((await task('work', { agent: 'free' })).id);
  expect(store.spend('agent', 0)).toEqual([
    expect.objectContaining({ name: 'codex', runs: 1, knownRuns: 1, inputTokens: 100, outputTokens: 20 }),
    expect.objectContaining({ name: 'free', runs: 1, knownRuns: 0, costUsd: 0, reservedUsd: 0 }),
  ]);
  expect(store.spend('person', 0)).toEqual([expect.objectContaining({ name: 'cli', runs: 2 })]);
  expect(store.spend('webhook', 0)).toEqual([expect.objectContaining({ name: null, runs: 2 })]);
});

test('spend: a run that a rate limit ended waits and is tried again, as often as rateLimit says', async () => {
  const { task, context, scheduler } = await startAgents({ yaml: YAML });
  const { store } = context;
  const { id } = await task('do: refuse overloaded', { agent: 'planning' });
  await expect
    .poll(
      () => {
        scheduler.wake();
        return store.task(id)?.status;
      },
      { timeout: 20_000 },
    )
    .toBe('failed');
  const runs = store.runsOfTask(id);
  expect(runs.map(({ state, cause }) => [state, cause])).toEqual(Array(3).fill(['failed', 'rate_limited']));
  expect(runs.map(({ retryAt }) => retryAt !== null)).toEqual([true, true, false]);
  expect(runs[0]?.reason).toMatch(/; it is tried again at \d{4}-/);
  expect(store.spent(0)).toMatchObject({ runs: 3, endedUsd: 0 });
});

test('spend: an agent over a rate limit lets its other tasks wait until then', async () => {
  const yaml = YAML.replace('wait: 1s', 'wait: 1h');
  const { task, context } = await startAgents({ yaml });
  const { store } = context;
  const first = await task('do: refuse overloaded', { agent: 'planning' });
  // The run that waits for its next try is a row of its own.
  await expect.poll(() => store.runsOfTask(first.id)[0]?.endedAt ?? null).not.toBeNull();
  const other = await task('do: answer Done.', { agent: 'planning' });
  await expect
    .poll(() => store.runsOfTask(other.id)[0]?.reason)
    .toMatch(/^planning is over a rate limit until/);
  expect(store.task(first.id)?.status).toBe('queued');
});
