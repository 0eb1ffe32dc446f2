import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { shownText } from '../../src/types/text.ts';
import { eventually } from '../support/eventually.ts';
import { type AgentEngine, startAgents } from './support.ts';

const QUICK = 'agents: { brain: { use: command, program: ./quick, concurrency: 4 } }\n';

/** The reason for which a task's run waits or is held. */
function reasonOf(engine: AgentEngine, taskId: string, state: 'waiting' | 'held'): Promise<string | null> {
  return eventually(`${taskId} to be ${state}`, () => {
    const [run] = engine.context.store.runsOfTask(taskId);
    return run?.state === state && run.reason !== 'it is started' ? run.reason : null;
  });
}

test('budget of an owner: its tasks are held, those of others run, and the budget of all counts theirs alone', async () => {
  const engine = await startAgents({
    yaml: `${QUICK}runs: { perDay: { runs: 2 } }
owners: { ada: { perDay: { runs: 1 } } }\n`,
  });
  const about = (n: number, owner: string) => engine.task(`Do ${n}`, { owner, externalId: `x:${n}` });
  const first = await about(1, 'ada');
  await engine.ended(first.id);
  const held = [await about(2, 'ada'), await about(3, 'ada')];
  const others = [await about(4, 'bob'), await about(5, 'operator')];
  for (const { id } of others) expect((await engine.ended(id)).state).toBe('completed');
  for (const { id } of held)
    expect(await reasonOf(engine, id, 'held')).toBe(
      'the budget of ada for the day (owners.ada.perDay) is used up: 1 run within 24 hours',
    );
  const last = await about(6, 'bob');
  expect(await reasonOf(engine, last.id, 'held')).toContain('the budget of the day is used up: 2 runs');
  expect(engine.held.some((reason) => reason.includes('owners.ada.perDay'))).toBe(true);
});

test('runs of an owner at once: what is beyond waits, another owner’s runs', async () => {
  const engine = await startAgents({
    yaml: `agents: { brain: { use: command, program: ./fake-agent, concurrency: 4 } }
owners: { ada: { concurrency: 1 } }\n`,
  });
  const first = await engine.task('One\ndo: hang', { owner: 'ada', externalId: 'x:1' });
  await eventually('the first to run', () => engine.context.store.task(first.id)?.status === 'running');
  const second = await engine.task('Two', { owner: 'ada', externalId: 'x:2' });
  const other = await engine.task('Three', { owner: 'bob', externalId: 'x:3' });
  expect((await engine.ended(other.id)).state).toBe('completed');
  expect(await reasonOf(engine, second.id, 'waiting')).toBe(
    'ada has all the runs that it may have at once (owners.ada.concurrency: 1)',
  );
});

test('agents and checkouts of an owner: a task for another one is not made, and one elsewhere waits with the line to write', async () => {
  const engine = await startAgents({
    yaml: `agents:
  brain: { use: command, program: ./quick, concurrency: 4 }
  executor: { use: command, program: ./quick }
repositories: { acme/web: web, acme/api: api }
owners: { ada: { agents: [brain], repositories: [acme/web] } }\n`,
    prepare(folder) {
      for (const name of ['web', 'api']) mkdirSync(join(folder, name));
    },
  });
  const ada = (externalId: string) => engine.task('Do', { owner: 'ada', externalId });
  await expect(engine.task('Do', { owner: 'ada', agent: 'executor' })).rejects.toMatchObject({
    code: 'agent_not_allowed',
    message:
      'ada may not use executor: add it to owners.ada.agents in webhooks.yml, then restart hookctl serve',
  });
  const [web, api, none] = [await ada('github:acme/web#1'), await ada('github:acme/api#1'), await ada('x:1')];
  expect((await engine.ended(web.id)).state).toBe('completed');
  expect(await reasonOf(engine, api.id, 'waiting')).toBe(
    'ada may not use acme/api: add it to owners.ada.repositories in webhooks.yml, then restart hookctl serve',
  );
  expect(await reasonOf(engine, none.id, 'waiting')).toContain('it is about no repository');
  const bob = await engine.task('Do', { owner: 'bob', externalId: 'github:acme/api#2' });
  expect((await engine.ended(bob.id)).state).toBe('completed');
  // A child cannot leave its owner.
  await expect(engine.task('Do', { parentId: web.id, agent: 'executor' })).rejects.toThrow('ada may not use');
  const notes = engine.context.store.outbox().map(({ content }) => shownText(content));
  expect(notes).toEqual([]);
});
