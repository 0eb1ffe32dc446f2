/**
 * `npm run test:chain-kill`: from the ticket to the merged change while hookctl is killed after each step, at a random moment: with the
 * event just accepted, an agent at work, a push or a post on its way. It is one flow, one conversation and one session all the same,
 * and every comment is there once.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { agentRuns, PATIENCE_MS, said, startInstance, startWorld, walk } from '../server/chain-support.ts';
import { eventually } from '../support/eventually.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { seededForTest } from '../support/seeded.ts';
import { type Server, startServe } from '../support/server.ts';

const results = { passed: 0, failed: 0 };
afterAll(() => console.log(`${results.passed} passed, ${results.failed} failed, 0 skipped`));

/** The longest between a step and the kill, in milliseconds: an analysis takes about as long. */
const LONGEST_MS = [50, 400, 1_500] as const;

test.each(LONGEST_MS)('the chain, killed within %i ms after each step', async (longest) => {
  results.failed += 1;
  const seed = seededForTest();
  let server: Server | null = null;
  let kills = 0;
  const world = await startWorld();
  const serve = async (sandbox: Sandbox) => {
    const isFirst = server === null;
    server = await startServe(sandbox, '--port', String(server?.port ?? 0));
    // Registered behind the removal of the sandbox, and so called before it.
    if (isFirst) onTestFinished(async () => void (await server?.stop('SIGKILL')));
    return server;
  };
  const chain = await startInstance(world, serve);
  await walk(chain, async () => {
    await delay(seed.below(longest));
    await server?.stop('SIGKILL');
    kills += 1;
    await serve(chain.sandbox);
  });

  const { apis } = world;
  const on = (start: string) =>
    apis.posts.filter(({ thread }) => thread.startsWith(start)).map(({ text }) => said(text));
  await eventually('the ticket to be told', () => on('jira:PROJ-123').length >= 4 || null, PATIENCE_MS);
  expect(on('jira:PROJ-123')).toEqual([
    ...['It is analyzed.', 'It is planned.', 'It is opened.'],
    'Merged: Repair the login, https://github.com/acme/web/pull/57',
  ]);
  await eventually('both comments', () => on('github:acme/web#57').length >= 2 || null, PATIENCE_MS);
  expect(on('github:acme/web#57')).toEqual(['It is reviewed.', 'It is repaired.']);
  const tasks = chain.tasks();
  expect(tasks).toHaveLength(5);
  expect(new Set(tasks.map(({ flowId }) => flowId)).size).toBe(1);
  expect(new Set(tasks.map(({ conversationId }) => conversationId)).size).toBe(1);
  // A first run that was killed before it named its session is begun anew.
  const sessions = agentRuns(chain).filter(({ did }) => did !== 'analyzed');
  expect(new Set(sessions.map(({ session }) => session)).size).toBe(1);
  console.log(`killed ${kills} times within ${longest} ms; ${agentRuns(chain).length} runs of 5 tasks`);
  results.failed -= 1;
  results.passed += 1;
});
