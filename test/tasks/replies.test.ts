import { expect, test } from 'vitest';
import { createTask } from '../../src/tasks/create.ts';
import { changeTask } from '../../src/tasks/transition.ts';
import type { Task, TaskEvent } from '../../src/types.ts';
import { apisForFile } from '../outbox/support.ts';
import { onIssue, startEngine } from '../support/engine.ts';

const apis = apisForFile();

async function answering() {
  const engine = await startEngine({
    yaml: `credentials: { github: { tokenEnv: TOKEN, baseUrl: "${apis().url}" } }\n`,
    env: { TOKEN: 't' },
  });
  const change = async (
    task: Task,
    event: TaskEvent,
    report: Partial<Parameters<typeof changeTask>[3]> = {},
  ) => {
    const changed = await changeTask(engine.context, task.id, event, { actor: 'cli', ...report }, 'here');
    engine.outbox.wake();
    await engine.sent(task.deliveryId ?? '');
    return changed;
  };
  const posts = (id: string) => apis().posts.filter(({ text }) => text.includes(id));
  return { ...engine, change, posts };
}

test('a task has one comment where it came from: made at its start, edited as it moves on', async () => {
  const { deliver, change, posts } = await answering();
  const { tasks } = await deliver('github', 'issue_comment.created', onIssue(21));
  const [task] = tasks;
  if (task === undefined) throw new Error('no task');
  await change(task, 'start');
  expect(posts(task.id).map(({ text }) => text)).toEqual([
    expect.stringContaining(`\`${task.id}\` is worked on by planning.`),
  ]);
  await change(task, 'fail', { error: 'No network.', spent: { costUsd: 0.25 } });
  expect(posts(task.id)[0]?.text).toContain(`❌ No network.\n\n\`${task.id}\` · $0.25`);
  await change(task, 'retry');
  await change(task, 'start');
  await change(task, 'complete', { result: `${'A sentence. '.repeat(600)}`, spent: { costUsd: 1 } });
  const [post, ...others] = posts(task.id);
  expect(others).toEqual([]);
  expect(post?.text).toMatch(/^✅ A sentence\. [\s\S]*A sentence\. …\n\n`task-[\s\S]*\$1\.25/m);
  expect(post?.text.length).toBeLessThan(4_200);
});

test('a child is answered where its root came from; a task that was typed is answered nowhere', async () => {
  const { deliver, change, posts, context } = await answering();
  const { tasks } = await deliver('github', 'issue_comment.created', onIssue(22));
  const child = await createTask(context, { prompt: 'Plan', parentId: tasks[0]?.id }, 'cli', 'here');
  await change({ ...child, deliveryId: tasks[0]?.deliveryId ?? null }, 'complete', { result: 'Planned' });
  expect(posts(child.id)).toHaveLength(1);
  const typed = await createTask(context, { prompt: 'By hand' }, 'cli', 'here');
  await change(typed, 'complete');
  expect(context.store.outbox().filter(({ content }) => content.includes(typed.id))).toEqual([]);
});
