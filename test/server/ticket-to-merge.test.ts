import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { tell } from '../support/in-process.ts';
import { readStore } from '../support/server.ts';
import { agentRuns, PATIENCE_MS, said, startInstance, startWorld, walk } from './chain-support.ts';

test('from the ticket to the merged change: one flow, one conversation, one session, every comment once', async () => {
  const chain = await startInstance(await startWorld());
  const { sandbox, apis } = chain;
  const { pull, waiting } = await walk(chain);
  const onJira = () => apis.posts.filter(({ thread }) => thread === 'jira:PROJ-123').map(({ text }) => text);
  await eventually('the ticket to be told', () => (onJira().length === 4 ? true : null), PATIENCE_MS);

  const records = agentRuns(chain);
  expect(records.map(({ did }) => did)).toEqual(['analyzed', 'planned', 'opened', 'reviewed', 'repaired']);
  expect(records.map(({ isResumed }) => isResumed)).toEqual([false, true, true, true, true]);
  for (const of of ['session', 'branch', 'folder'] as const)
    expect(new Set(records.map((each) => each[of])).size).toBe(1);
  expect(records[0]?.branch).toBe(pull.branch);

  const tasks = chain.tasks();
  expect(new Set(tasks.map(({ flowId }) => flowId)).size).toBe(1);
  expect(new Set(tasks.map(({ conversationId }) => conversationId)).size).toBe(1);
  expect(tasks.map(({ externalId }) => externalId)).toEqual([
    ...['jira:PROJ-123', 'jira:PROJ-123', 'jira:PROJ-123'],
    ...['github:acme/web#57', 'github:acme/web#57'],
  ]);
  expect(onJira().map(said)).toEqual([
    'It is analyzed.',
    'It is planned.',
    'It is opened.',
    'Merged: Repair the login, https://github.com/acme/web/pull/57',
  ]);
  const onGithub = apis.posts.filter(({ thread }) => thread.startsWith('github:acme/web#57'));
  expect(onGithub.map(({ text }) => said(text))).toEqual(['It is reviewed.', 'It is repaired.']);

  const decided = readStore(sandbox, (store) => store.transitions(waiting.id)).filter(
    ({ event }) => event === 'approve',
  );
  expect(decided).toMatchObject([{ from: 'waiting_approval', to: 'queued', actor: 'slack:bob' }]);

  const shown = await tell(sandbox, 'flow', 'show', 'github:acme/web#57');
  const lines = shown.stdout.split('\n').map((line) => line.replace(/task-\w{16}/, 'task'));
  const tree = lines.filter(
    (line) => /task|jira:PROJ|github:acme/.test(line) && !/^about|conversation/.test(line),
  );
  expect(shown.stdout).toContain(`(opened for ${tasks[2]?.id}; github:robot)`);
  expect(tree.map((line) => line.trimEnd())).toEqual([
    'jira:PROJ-123',
    '│  task  completed  coder  Analyze: the login',
    '│  task  completed  coder  Plan: the login',
    '│  task  completed  coder  Fix: the login',
    '└─ github:acme/web#57 (opened for task; github:robot)',
    '      task  completed  coder  Analyze: Rename it',
    '      task  completed  coder  Repair ci of github:acme/web#57 (1 of 2)',
  ]);
}, 120_000);
