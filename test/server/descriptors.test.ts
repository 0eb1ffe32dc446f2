import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { cliPath, spawnIn } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { readStore } from '../support/server.ts';

/** A server without connections has some forty. */
const DESCRIPTORS = 72;

test('F15: descriptors that are used up in the moment of Ready cost requests, not the server', async () => {
  const sandbox = await sandboxForTest();
  const ports = ['--port', '0', '--management-port', '0'];
  const line = [process.execPath, cliPath(), 'serve', '--json', ...ports];
  const running = spawnIn(sandbox, 'sh', ['-c', `ulimit -n ${DESCRIPTORS}; exec "$@"`, 'sh', ...line]);
  onTestFinished(async () => {
    running.child.kill('SIGKILL');
    await running.ended;
  });
  const url = await eventually(
    'the ready line',
    () => /"ingress_url":"([^"]+)"/.exec(running.stdout())?.[1],
    60_000,
  );
  const port = Number(new URL(url).port);
  const idle = Array.from({ length: 100 }, () =>
    connect({ port, host: '127.0.0.1' }).on('error', () => undefined),
  );
  const sent = await Promise.allSettled(
    Array.from({ length: 10 }, () => signedPost(url, comment('@agent analyze'))),
  );
  await eventually('the connections to be open or cut', () => idle.every(({ connecting }) => !connecting));
  for (const socket of idle) socket.destroy();
  const last = await eventually('an accepted delivery', async () => {
    const answer = await signedPost(url, comment('@agent analyze')).catch(() => null);
    return answer?.status === 202 ? answer : null;
  });
  const accepted = sent.flatMap((each) =>
    each.status === 'fulfilled' && each.value.status === 202 ? [each.value.id] : [],
  );
  for (const id of [...accepted, last.id]) {
    const status = await eventually(`${id} to be worked off`, () => {
      const found = readStore(sandbox, (reader) => reader.delivery(id)?.status);
      return found === 'pending' ? null : found;
    });
    expect(status).toBe('processed');
  }
  expect(running.child.exitCode).toBeNull();
});
