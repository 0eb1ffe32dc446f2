import { expect, test } from 'vitest';
import { comment, signedPost, examples } from '../support/github.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { serverForTest, settled } from '../support/server.ts';
import { cli } from '../support/cli.ts';
test('smoke', async () => {
  const sandbox = await sandboxForTest();
  const server = await serverForTest(sandbox);
  console.log(examples().length, server.url);
  const answer = await signedPost(server.url, comment('@agent analyze'));
  console.log(answer, await settled(sandbox, answer.id), await cli(sandbox, 'task', 'list'));
  console.log(await server.stop());
  expect(answer.status).toBe(202);
});
