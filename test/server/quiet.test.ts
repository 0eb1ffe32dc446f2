import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { serverForTest, settled, startHumanServe } from '../support/server.ts';

test('serve --quiet tells what needs somebody, and nothing of what went as it should', async () => {
  const sandbox = await sandboxForTest();
  const { url, lines } = await serverForTest(sandbox, '--quiet');
  const done = await signedPost(url, comment('@agent analyze'));
  expect((await settled(sandbox, done.id)).status).toBe('processed');
  const forged = await signedPost(url, comment('@agent analyze'), { secret: 'wrong-secret' });
  expect(forged.status).toBe(401);
  const held = await signedPost(url, comment('@agent analyze'), { event: 'issues' });
  expect(held.status).toBe(400);
  await eventually('the line of the last one', () => lines().some(({ id }) => id === held.id));
  expect(lines().map(({ type, status }) => [type, status])).toEqual([
    ['ready', undefined],
    ['delivery', 'rejected'],
    ['delivery', 'unparsed'],
  ]);
});

test('to people it still tells where it is ready, and who was refused', async () => {
  const sandbox = await sandboxForTest();
  const { stderr } = await startHumanServe(sandbox, '-q');
  const url = /^Ready on (http:\/\/\S+)/m.exec(stderr())?.[1] ?? '';
  const done = await signedPost(url, comment('@agent analyze'));
  expect((await settled(sandbox, done.id)).status).toBe('processed');
  await signedPost(url, comment('@agent analyze'), { secret: 'wrong-secret' });
  await eventually('the refusal', () => stderr().includes('rejected: '));
  expect(stderr()).not.toContain(done.id);
});
