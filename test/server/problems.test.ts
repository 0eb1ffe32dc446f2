import { expect, test } from 'vitest';
import { type LastingProblem, watchProblems } from '../../src/server/problems.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { tell } from '../support/in-process.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { serveHere } from '../support/serve-here.ts';

test('E: status shows a refused sender behind problem:, with and without a server, until one is accepted', async () => {
  const sandbox = await sandboxForTest();
  const server = await serveHere(sandbox);
  const problems = async () => {
    const { stdout } = await tell(sandbox, 'status');
    return stdout.split('\n').filter((line) => line.startsWith('problem: '));
  };
  expect(await problems()).toEqual([]);
  for (let n = 0; n < 3; n += 1) await signedPost(server.url, comment('hello'), { secret: 'wrong' });
  const [line = ''] = await problems();
  expect(line).toMatch(/^problem: github: 3 requests were refused in the last 24 h, the last because /);
  const id = /hookctl explain (dlv-\S+)$/.exec(line)?.[1] ?? '';
  expect((await tell(sandbox, 'explain', id)).stdout).toMatch(/rejected/);

  expect((await signedPost(server.url, comment('hello'))).status).toBe(202);
  expect(await problems()).toEqual([]);
  await signedPost(server.url, comment('hello'), { secret: 'wrong' });
  await server.stop();
  expect(await problems()).toHaveLength(1);
});

test('serve tells a problem once while it lasts, and again when it comes back', async () => {
  let now: readonly LastingProblem[] = [{ key: 'a', text: 'was there at the start' }];
  let looks = 0;
  const found: string[] = [];
  const watch = watchProblems({
    look() {
      looks += 1;
      return now;
    },
    found: (text) => found.push(text),
    broken: (error) => found.push(String(error)),
    everyMs: 1,
  });
  const next = async (problems: readonly LastingProblem[]) => {
    now = problems;
    const before = looks;
    await eventually('two looks', () => looks > before + 1);
  };
  await next([...now, { key: 'b', text: '1 item waits' }, { key: 'c', text: 'printed', printed: true }]);
  await next([{ key: 'b', text: '2 items wait' }]);
  await next([]);
  await next([{ key: 'b', text: '3 items wait' }]);
  watch.close();
  expect(found).toEqual(['1 item waits', '3 items wait']);
});

const CLOSED = `
credentials: { github: { tokenEnv: TOKEN, baseUrl: 'http://127.0.0.1:9' } }
webhooks: { github: { defaultCommand: say, commands: [{ name: say, action: comment, template: 'Seen {{@event.title}}' }] } }
`;

test('E1: status and serve show posts to a closed port behind problem:, with the next try and what to type', async () => {
  const sandbox = await sandboxForTest({ files: { 'webhooks.yml': CLOSED }, env: { TOKEN: 'a-token' } });
  const server = await serveHere(sandbox, []);
  for (let n = 1; n <= 6; n += 1)
    expect((await signedPost(server.url, comment('@agent say', { issue: n }))).status).toBe(202);
  const problem =
    /^problem: 6 posts for github wait, tried \d+ times?: .*ECONNREFUSED.*The next try is at \d{4}-.*hookctl outbox list --status waiting$/m;
  const shown = await eventually('the problem', async () => {
    const { stdout } = await tell(sandbox, 'status');
    return problem.test(stdout) ? stdout : null;
  });
  expect(shown.match(/^problem: /gm)).toHaveLength(1);
  await eventually(
    'serve to print it',
    () => /^\S+ +problem: \d posts? for github waits?, .*ECONNREFUSED/m.test(server.stderr()),
    30_000,
  );
  expect((await tell(sandbox, 'outbox', 'list', '--status', 'waiting')).stdout).toMatch(/waiting/);
  await server.stop();
  expect((await tell(sandbox, 'status')).stdout).toMatch(problem);
});
