import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { attachTask, detachTask } from '../../src/tasks/attach.ts';
import { apisForFile } from '../outbox/support.ts';
import { onIssue } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { tell } from '../support/in-process.ts';
import { expectJson } from '../support/management.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { serverForTest } from '../support/server.ts';
import { type AgentEngine, dumpsIn, installAgent, startAgents } from './support.ts';

const apis = apisForFile();
const CLAUDE = 'agents: { brain: { use: claude, program: ./fake-agent, concurrency: 4 } }\n';

const attach = ({ context, scheduler, folder }: AgentEngine, id: string, now: boolean) => {
  const attached = attachTask(context, id, { actor: 'ada', now, where: folder });
  return attached.finally(scheduler.wake);
};

test('attach at once: the run ends, its tasks wait for the person, and detach lets them go on in the same session', async () => {
  const engine = await startAgents({ yaml: CLAUDE });
  const { store } = engine.context;
  const task = await engine.task('A\ndo: hang', { externalId: 'x:1' });
  await eventually('it to hang', () => existsSync(join(engine.folder, 'hanging')));
  const { runId } = await attach(engine, task.id, true);
  const run = await eventually('it to end', () => {
    const [first] = store.runsOfTask(task.id);
    return first?.endedAt == null ? null : first;
  });
  expect(run).toMatchObject({ id: runId, state: 'interrupted', reason: 'ada works in its session now' });
  const again = await attach(engine, task.id, false);
  expect([again.runId, again.openWith]).toEqual([null, run.openWith]);
  const next = await engine.task('B\ndo: answer', { externalId: 'x:1' });
  await eventually('it to wait', () => {
    const reason = store.runsOfTask(task.id).at(-1)?.reason;
    return reason === `ada works in its session, until: hookctl task detach ${task.id}`;
  });
  expect(store.task(next.id)?.status).toBe('queued');
  expect(dumpsIn(engine.folder)).toHaveLength(1);
  await detachTask(engine.context, task.id, engine.folder);
  engine.scheduler.wake();
  await eventually('it to go on', () => dumpsIn(engine.folder).length === 2);
  expect(dumpsIn(engine.folder)[1]?.argv).toContain(run.sessionId);
  await expect(detachTask(engine.context, task.id, engine.folder)).rejects.toMatchObject({
    code: 'not_attached',
  });
});

test('attach: a run ends after its turn; without a session there is nothing to open', async () => {
  const engine = await startAgents({ yaml: CLAUDE });
  const { store } = engine.context;
  const task = await engine.task('A\ndo: wait go', { externalId: 'x:1' });
  await eventually('it to run', () => dumpsIn(engine.folder).length === 1);
  await attach(engine, task.id, false);
  expect(store.openRuns().map(({ state }) => state)).toEqual(['running']);
  writeFileSync(join(engine.folder, 'go'), '');
  // It answers in one go, so that its result may be there before it is stopped: then it is done.
  await eventually('it to end', () => store.runsOfTask(task.id)[0]?.endedAt != null);
  expect(['interrupted', 'completed']).toContain(store.runsOfTask(task.id)[0]?.state);
  const other = await engine.task('C', { agent: 'somebody', externalId: 'x:9' });
  await expect(attach(engine, other.id, false)).rejects.toMatchObject({ code: 'no_session' });
});

test('attach to a run that ends without a session says so, and gives it back', async () => {
  const files = { 'webhooks.yml': 'agents: { brain: { use: command, program: ./fake-agent } }\n' };
  const sandbox = await sandboxForTest({ files });
  installAgent(sandbox.project);
  const server = await serverForTest(sandbox);
  const body = { prompt: 'A\ndo: hang' };
  const { id } = await expectJson<{ id: string }>(201, server, 'POST', '/api/tasks', { body });
  await eventually('it to hang', () => existsSync(join(sandbox.project, 'hanging')));
  const pid = readFileSync(join(sandbox.project, 'hanging'), 'utf8');
  const { code, stderr } = await tell(sandbox, 'task', 'attach', id, '--now');
  expect([code, stderr]).toEqual([1, expect.stringContaining('ended without a session')]);
  await eventually(
    'it to be tried again',
    () => readFileSync(join(sandbox.project, 'hanging'), 'utf8') !== pid,
  );
  expect((await tell(sandbox, 'task', 'detach', id)).stderr).toContain('no person works in the session');
});

test('attach while runs end: what was started ends, what comes later waits, and detach lets it go on', async () => {
  const engine = await startAgents({ yaml: CLAUDE });
  const { store } = engine.context;
  const done = await Promise.all(
    Array.from({ length: 6 }, async (_, index) => {
      const externalId = `x:${index}`;
      const task = await engine.task('A\ndo: answer', { externalId });
      // As soon as there is a session: some end meanwhile, some have ended.
      await eventually('a session', () => store.runsOfTask(task.id)[0]?.openWith != null);
      await attach(engine, task.id, index % 2 === 0);
      const later = await engine.task('B\ndo: answer', { externalId });
      await eventually('the first to end', () => store.runsOfTask(task.id)[0]?.endedAt != null);
      return { task, later };
    }),
  );
  const running = () => store.openRuns().filter(({ state }) => state === 'running');
  expect(running()).toEqual([]);
  expect(done.map(({ later }) => store.task(later.id)?.status)).toEqual(done.map(() => 'queued'));
  for (const { task } of done) await detachTask(engine.context, task.id, engine.folder);
  engine.scheduler.wake();
  for (const { task, later } of done)
    for (const { id } of [task, later])
      await eventually('all to be done', () => store.task(id)?.status === 'completed');
});

test('the thread is told that a person works in the session, and that it was given back', async () => {
  const engine = await startAgents({
    yaml: `agents: { planning: { use: claude, program: ./fake-agent } }
credentials: { github: { tokenEnv: TOKEN, baseUrl: "${apis().url}" } }\n`,
    env: { TOKEN: 't' },
  });
  const { tasks } = await engine.deliver('github', 'issue_comment.created', onIssue(611));
  const id = tasks[0]?.id ?? '';
  await engine.ended(id);
  await attach(engine, id, false);
  await detachTask(engine.context, id, engine.folder);
  engine.outbox.wake();
  const said = () => apis().posts.map(({ text }) => text);
  await eventually('both comments', () => said().some((text) => text.includes('given back')));
  expect(said().some((text) => text.includes('ada works in this session by hand'))).toBe(true);
});
