import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { readStore, serverForTest, startServe } from '../support/server.ts';

const KILLS = 10;
const BURST = 24;
/** Kills that also hit Claude's list: its lock is stale only after seconds, and each next start waits for that. */
const KILLS_IN_LIST = 1;
/** More starts than kills that count: at some kills nothing happens to be pending. */
const STARTS = 30;

/** Starts a server, posts a burst, and kills it as soon as the client has read half of the answers. */
async function killedInBurst(sandbox: Sandbox, firstIssue: number): Promise<readonly string[]> {
  const { url, pid, running } = await startServe(sandbox);
  const acknowledged: string[] = [];
  const burst = Array.from({ length: BURST }, async (_, index) => {
    const { status, id } = await signedPost(url, comment('@agent analyze', { issue: firstIssue + index }));
    if (status === 202) acknowledged.push(id);
    if (acknowledged.length === BURST / 2) process.kill(pid, 'SIGKILL');
  });
  await Promise.allSettled(burst);
  await running.ended;
  return acknowledged;
}

test('what was answered 202 before `kill -9` ends as exactly one task', { timeout: 120_000 }, async () => {
  const sandbox = await sandboxForTest();
  const useClaudeTasks = (enabled: boolean) =>
    sandbox.write('webhooks.yml', `claudeTasks: { enabled: ${enabled} }\n`);
  const pending = () => readStore(sandbox, (reader) => reader.pending(null, 1_000).length);
  const acknowledged: string[] = [];
  let kills = 0;
  for (let starts = 0; kills < KILLS && starts < STARTS; starts++) {
    await useClaudeTasks(kills >= KILLS - KILLS_IN_LIST);
    acknowledged.push(...(await killedInBurst(sandbox, starts * BURST)));
    if (pending() > 0) kills++;
  }
  expect(kills, 'kills with deliveries pending').toBe(KILLS);

  await useClaudeTasks(true);
  await serverForTest(sandbox);
  await eventually('the queue to be empty', () => pending() === 0);
  readStore(sandbox, (reader) => {
    for (const id of acknowledged) {
      expect(reader.delivery(id)?.status, id).toBe('processed');
      expect(reader.tasks({ deliveryId: id }), id).toHaveLength(1);
    }
    const made = reader.tasks({ limit: 10_000 }).map(({ deliveryId }) => deliveryId);
    expect(new Set(made).size, 'no delivery made two tasks').toBe(made.length);
  });
  const tasks = readStore(sandbox, (reader) => reader.tasks({ limit: 10_000 }));
  const tasksFolder = join(sandbox.claudeFolder, 'tasks');
  const records = () => readdirSync(tasksFolder).filter((name) => name.startsWith('claude-task-'));
  // The files of tasks from before the start are made behind the open sockets.
  await eventually('every task to have its record', () => records().length >= tasks.length);
  expect(records().toSorted()).toEqual(tasks.map(({ id }) => `claude-task-${id}.json`).toSorted());
});
