import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createBoundedWriter, takenByOutput } from '../../src/lib/files/bounded-writer.ts';
import { cliPath } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';

/** A port that is free now: who reads nothing can't be told which one a server took. */
async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** `serve` ends by the signal itself where it must cut off what does not end within 9.5 s. */
const ENDED_BY_ITSELF = [0, null];

/** Starts `serve` with output that goes where it is never read. */
async function unread(
  sandbox: Sandbox,
  program: string,
  args: (line: readonly string[]) => readonly string[],
) {
  const port = await freePort();
  const line = [process.execPath, cliPath(), 'serve', '--port', String(port), '--management-port', '0'];
  const child = spawn(program, args(line), {
    cwd: sandbox.project,
    env: sandbox.env,
    // Never read: the system's buffers fill, and then nothing more is taken.
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  child.stdout.pause();
  child.stderr.pause();
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      await once(child, 'exit');
    }
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually(
    'the server',
    () =>
      fetch(`${url}/healthz`)
        .then(({ ok }) => ok)
        .catch(() => false),
    60_000,
  );
  return { child, url };
}

/** So many deliveries say some 250 KB, several times what a pipe or a terminal keeps. */
async function floodOf(url: string): Promise<void> {
  for (let n = 0; n < 20; n += 1) {
    const sent = Array.from({ length: 40 }, () => signedPost(url, comment('hello')));
    for (const { status } of await Promise.all(sent)) expect(status).toBe(202);
  }
}

test('F3: serve into a pipe that is never read answers on, and ends soon after SIGTERM', async () => {
  const sandbox = await sandboxForTest();
  const { child, url } = await unread(sandbox, 'env', (line) => line);
  await floodOf(url);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual(ENDED_BY_ITSELF);
});

/** Runs a program on a terminal of its own whose other side is read only until it says Ready. */
const ON_TERMINAL = `
import os, pty, sys, time, signal
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
signal.signal(signal.SIGUSR1, lambda *_: os.close(fd))
while True:
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        sys.exit(os.waitstatus_to_exitcode(status) % 256)
    time.sleep(0.02)
`;

describe.skipIf(!existsSync('/usr/bin/python3') && !existsSync('/usr/local/bin/python3'))(
  'a terminal',
  () => {
    const onTerminal = (sandbox: Sandbox) =>
      unread(sandbox, 'python3', (line) => ['-c', ON_TERMINAL, ...line]);

    test('F3: serve on a terminal that is not read answers on, and ends soon after SIGTERM', async () => {
      const { child, url } = await onTerminal(await sandboxForTest());
      await floodOf(url);
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual(ENDED_BY_ITSELF);
    });

    test('E7: serve whose terminal is closed ends as after SIGTERM', async () => {
      const { child } = await onTerminal(await sandboxForTest());
      child.kill('SIGUSR1');
      expect(await once(child, 'exit')).toEqual(ENDED_BY_ITSELF);
    });
  },
);

test('F3: what finds no room is counted, and said once there is room', () => {
  let room = 10;
  let out = '';
  const writer = createBoundedWriter({
    take(bytes) {
      const taken = bytes.subarray(0, room);
      room -= taken.length;
      out += taken.toString();
      return taken.length;
    },
    leftOut: (lines) => `(${lines} left out)\n`,
    mostBytes: 20,
  });
  writer.write('1234567\n');
  writer.write('second line\n');
  writer.write('third\n');
  for (let n = 0; n < 3; n += 1) writer.write('lost\nlost\n');
  expect(out).toBe('1234567\nse');
  room = 1_000;
  return writer.flushed(1_000).then(() => {
    expect(out).toBe('1234567\nsecond line\nthird\n(6 left out)\n');
    writer.write('on\n');
    expect(out.endsWith('(6 left out)\non\n')).toBe(true);
  });
});

test('F3: a reader that is gone ends the writing, not the process', () => {
  let asked = 0;
  const writer = createBoundedWriter({
    take() {
      asked += 1;
      throw new Error('EPIPE');
    },
    leftOut: () => '',
  });
  writer.write('a\n');
  writer.write('b\n');
  expect(asked).toBe(1);
});

test('F3: output to a file on a full disk waits for room', () => {
  const full = openSync('/dev/full', 'w');
  onTestFinished(() => closeSync(full));
  expect(takenByOutput(full, Buffer.from('line\n'))).toBe(0);
});
