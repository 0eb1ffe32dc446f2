import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { cli, spawnCli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { readStore, serverForTest, settled, startHumanServe } from '../support/server.ts';

test.each(['--port', '--management-port'])(
  'a taken %s: exit 1 names port, process and flag',
  async (flag) => {
    const sandbox = await sandboxForTest();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    const other = flag === '--port' ? '--management-port' : '--port';
    const { code, stderr } = await cli(sandbox, 'serve', flag, String(port), other, '0');
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${port} is taken`);
    if (existsSync('/proc/self')) expect(stderr).toContain(`(pid ${process.pid})`);
    expect(stderr).toMatch(new RegExp(`${flag} \\d+`));
  },
);

test('a second serve on the folder is refused and names the first', async () => {
  const sandbox = await sandboxForTest();
  const { pid } = await serverForTest(sandbox);
  const { code, stderr } = await cli(sandbox, 'serve', '--port', '0', '--management-port', '0');
  expect(code).toBe(1);
  expect(stderr).toContain(sandbox.dataFolder);
  expect(stderr).toContain(`pid ${pid}`);
});

test('the folder of a killed one is taken over', async () => {
  const sandbox = await sandboxForTest();
  const first = await serverForTest(sandbox);
  await first.stop('SIGKILL');
  const second = await serverForTest(sandbox);
  expect(second.pid).not.toBe(first.pid);
  expect((await signedPost(second.url, comment('hello'))).status).toBe(202);
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s: what was accepted is finished, exit 0', async (signal) => {
  const sandbox = await sandboxForTest();
  const server = await serverForTest(sandbox);
  // Those of one issue run one after the other, so that some still wait at the signal.
  const posts = Array.from({ length: 10 }, (_, index) =>
    signedPost(server.url, comment('@agent analyze', { issue: 1 + (index % 5) })),
  );
  const answers = await Promise.all(posts);
  const { code } = await server.stop(signal);
  expect(code).toBe(0);
  const states = server.lines().filter(({ type }) => type === 'state');
  expect(states.map(({ state }) => state)).toEqual(['stopping', 'stopped']);
  expect(states[0]?.reason).toContain(signal);

  const delivered = () =>
    readStore(sandbox, (reader) => answers.map(({ id }) => reader.delivery(id)?.status));
  expect(delivered().every((status) => status === 'processed' || status === 'pending')).toBe(true);
  await serverForTest(sandbox);
  await eventually('the rest', () => delivered().every((status) => status === 'processed'));
  expect(readStore(sandbox, (reader) => reader.tasks())).toHaveLength(10);
});

test('a second signal ends it at once, though a request is still coming in', async () => {
  const sandbox = await sandboxForTest();
  const server = await serverForTest(sandbox);
  const stream = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10)) });
  const open = fetch(`${server.url}/webhooks/github`, {
    method: 'POST',
    body: stream,
    duplex: 'half',
  } as RequestInit).catch(() => null);
  await eventually('an answer beside it', async () => (await fetch(`${server.url}/healthz`)).ok);
  server.running.child.kill('SIGTERM');
  await eventually('`stopping`', () => server.lines().some(({ state }) => state === 'stopping'));
  server.running.child.kill('SIGTERM');
  // An end after the grace would be status 0.
  const { code, signal } = await server.running.ended;
  expect([code, signal]).toEqual([null, 'SIGTERM']);
  await open;
});

test('a reader of stdout that goes away does not end it', async () => {
  const sandbox = await sandboxForTest();
  const server = await serverForTest(sandbox);
  server.running.child.stdout?.destroy();
  for (let posted = 0; posted < 5; posted++) {
    const { status, id } = await signedPost(server.url, comment('hello'));
    expect(status).toBe(202);
    await settled(sandbox, id);
  }
  expect((await server.stop()).code).toBe(0);
});

test('--json prints one object on each line: ready, delivery, task, state', async () => {
  const sandbox = await sandboxForTest();
  const server = await serverForTest(sandbox);
  const { id } = await signedPost(server.url, comment('@agent analyze', { issue: 5 }));
  await eventually('the task line', () => server.lines().find(({ type }) => type === 'task'));
  await server.stop();
  const lines = server.lines();
  expect(lines.map(({ type, status, state }) => [type, status ?? state])).toEqual([
    ['ready', undefined],
    ['delivery', 'pending'],
    ['delivery', 'processed'],
    ['task', 'queued'],
    ['state', 'stopping'],
    ['state', 'stopped'],
  ]);
  expect(lines.every(({ at }) => !Number.isNaN(Date.parse(at)))).toBe(true);
  expect(lines[0]).toMatchObject({ pid: server.pid, problems: [], public_url: null });
  expect(lines[2]).toMatchObject({ id, webhook: 'github', event_type: 'issue_comment.created' });
  expect(lines[3]).toMatchObject({ delivery_id: id, command: 'analyze' });
  expect(server.running.stderr()).toBe('');
});

test('for people: the form of GitHub, the Claude session, and Ready last, without a terminal too', async () => {
  const sandbox = await sandboxForTest();
  const running = await startHumanServe(sandbox, '--public-url', 'https://hooks.example.com');
  const text = running.stderr();
  expect(text).toMatch(/Payload URL: +https:\/\/hooks\.example\.com\/webhooks\/github/);
  expect(text).toMatch(/Content type: +application\/json/);
  expect(text).toMatch(/Secret: .*hookctl webhook show github --show-secret/);
  expect(text).toMatch(/Events: .*Issue comments/);
  expect(text).toMatch(/^Replies: /m);
  expect(text).toMatch(/CLAUDE_CODE_TASK_LIST_ID=hookctl/);
  expect(text.trimEnd().split('\n').slice(-2).join('\n')).toMatch(
    /^Ready on http:\/\/127\.0\.0\.1:\d+, public https:\S+\n {2}\(management \S+, pid \d+\)$/,
  );
  expect(running.stdout()).toBe('');
});

test('for people: two lines a delivery, the id last, and nothing of the payload reaches the terminal raw', async () => {
  const sandbox = await sandboxForTest();
  const running = await startHumanServe(sandbox);
  const url = /Ready on (http:\S+)/.exec(running.stderr())?.[1] ?? '';
  const linesOf = (id: string) =>
    eventually(`the lines of ${id}`, () => {
      const found = running
        .stderr()
        .split('\n')
        .filter((line) => line.endsWith(`[${id}]`));
      return found.length === 2 && found;
    });

  const made = await signedPost(url, comment('@agent analyze'));
  const [came, became] = await linesOf(made.id);
  expect(came).toMatch(
    /--> issue_comment\.created {2}Codertocat {2}github:codertocat\/hello-world#1 {2}12\.\d kB/,
  );
  expect(became).toMatch(/<-- processed: analyze → task-[a-z0-9]+ \(planning\)/);

  const ignored = await signedPost(url, comment('looks good'));
  expect((await linesOf(ignored.id))[1]).toContain('<-- ignored: the text has no `@agent`');

  const ping = await signedPost(url, '{"zen":"Keep it logically awesome.","hook_id":1}', { event: 'ping' });
  expect((await linesOf(ping.id))[1]).toContain('<-- GitHub reaches you');

  await signedPost(url, comment('@agent analyze'), { secret: 'another' });
  await eventually('the fix', () =>
    /<-- rejected: .*hookctl webhook show github --show-secret/.test(running.stderr()),
  );

  const evil = '\u001b]52;c;aGk=\u0007\u001b[2J\u202eevil\r\nforged line';
  const user = { id: 7, login: `ada${evil}`, type: 'User' };
  const hostile = await signedPost(url, comment(`@agent analyze ${evil}`, { title: evil, user }));
  const [shown] = await linesOf(hostile.id);
  expect(shown).toContain('ada⟦U+001B⟧]52;c;aGk=⟦U+0007⟧⟦U+001B⟧[2J⟦U+202E⟧evil');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
  expect(running.stderr()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(running.stderr()).not.toMatch(/^forged line/m);
});

test('--insecure-no-verify accepts anything, says so, and marks it; another name is a usage error', async () => {
  const sandbox = await sandboxForTest();
  const server = await serverForTest(sandbox, '--insecure-no-verify', 'github');
  expect(server.lines()[0]?.problems).toEqual([expect.stringContaining('accepts everything unverified')]);
  const { status, id } = await signedPost(server.url, comment('@agent analyze'), { secret: 'wrong' });
  expect(status).toBe(202);
  expect(await settled(sandbox, id)).toMatchObject({
    trust: 'unverified',
    status: 'ignored',
    reason: 'the delivery was not verified',
  });
  await server.stop();

  const { code, stderr } = await cli(sandbox, 'serve', '--insecure-no-verify', 'githab');
  expect(code).toBe(2);
  expect(stderr).toContain('there is no webhook githab');
  expect(stderr).toContain('github');
});

test('a named secret that is not set: serve and check say so, and every delivery is refused', async () => {
  const config = 'webhooks: { github: { secretEnv: MY_SECRET } }\n';
  const sandbox = await sandboxForTest({ files: { 'webhooks.yml': config } });
  const server = await serverForTest(sandbox);
  expect(server.lines()[0]?.problems).toEqual([expect.stringContaining('MY_SECRET')]);
  const { status, text } = await signedPost(server.url, comment('@agent analyze'));
  expect([status, text]).toEqual([401, '{}']);
  const { stdout, stderr } = await cli(sandbox, 'check');
  expect(stdout + stderr).toContain('MY_SECRET');
});

test('accepted deliveries are taken up at the next start, and the ready line counts them', async () => {
  const sandbox = await sandboxForTest();
  const first = await serverForTest(sandbox);
  await Promise.all(Array.from({ length: 30 }, () => signedPost(first.url, comment('hello'))));
  process.kill(first.pid, 'SIGKILL');
  await first.running.ended;
  const pending = readStore(sandbox, (reader) => reader.pending(null, 100).length);
  const second = await serverForTest(sandbox);
  expect(second.lines()[0]?.recovered).toBe(pending);
  await eventually('all', () => readStore(sandbox, (reader) => reader.pending(null, 1).length === 0));
});

test('--host binds the ingress alone, and the data folder is the user’s own', async () => {
  const sandbox = await sandboxForTest();
  const running = spawnCli(sandbox, [
    'serve',
    '--json',
    '--host',
    '::1',
    '--port',
    '0',
    '--management-port',
    '0',
  ]);
  onTestFinished(async () => {
    running.child.kill('SIGKILL');
    await running.ended;
  });
  const ready = await eventually('ready', () => running.stdout().includes('\n') && running.stdout());
  expect(JSON.parse(ready)).toMatchObject({
    ingress_url: expect.stringMatching(/^http:\/\/\[::1\]:\d+$/),
    management_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
  });
});
