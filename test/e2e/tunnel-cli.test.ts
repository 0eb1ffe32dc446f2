import { expect, onTestFinished, test } from 'vitest';
import { cli, cliJson, type Running, spawnCli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { serverForTest } from '../support/server.ts';
import { isAlive, tunnelLines, tunnelSandbox } from '../support/tunnel.ts';
import { startRelay } from '../tunnels/fixtures/relay-server.ts';

const URL_OF_FAKE = 'https://oklahoma-solo-younger-truck.trycloudflare.com';

function openForTest(sandbox: Sandbox, ...args: readonly string[]): Running {
  const running = spawnCli(sandbox, ['tunnel', 'open', ...args]);
  onTestFinished(async () => {
    running.child.kill('SIGKILL');
    await running.ended;
  });
  return running;
}

test('`tunnel list` names every tunnel', async () => {
  const sandbox = await sandboxForTest();
  const list = await cliJson<{ name: string; summary: string }[]>(sandbox, 'tunnel', 'list');
  expect(list.map(({ name }) => name)).toEqual(['cloudflared', 'ssh', 'smee', 'ngrok', 'none']);
  const { stdout } = await cli(sandbox, 'tunnel', 'list');
  for (const { name, summary } of list) expect(stdout).toMatch(new RegExp(`^${name} +${summary}$`, 'm'));
});

test.each(['smee', 'gosmee'] as const)(
  '`tunnel new smee` makes a channel at a %s server',
  async (dialect) => {
    const relay = await startRelay(dialect);
    onTestFinished(relay.stop);
    const sandbox = await sandboxForTest();
    const server = new URL(relay.url).origin;
    const { stdout, stderr, code } = await cli(sandbox, 'tunnel', 'new', 'smee', '--server', server);
    expect({ stdout, code }).toEqual({ stdout: `${relay.url}\n`, code: 0 });
    expect(stderr).toContain(`hookctl serve --tunnel smee=${relay.url}`);
  },
);

test('`tunnel new` says what is wrong', async () => {
  const sandbox = await sandboxForTest();
  const nobody = await cli(sandbox, 'tunnel', 'new', 'smee', '--server', 'http://127.0.0.1:9');
  expect(nobody).toMatchObject({ code: 1, stdout: '' });
  expect(nobody.stderr).toContain('http://127.0.0.1:9 does not answer: ECONNREFUSED');
  const other = await cli(sandbox, 'tunnel', 'new', 'ngrok');
  expect(other).toMatchObject({ code: 2, stdout: '' });
  expect(other.stderr).toContain('hookctl tunnel new smee');
});

test('`tunnel status` prints the state of the server’s tunnel; `--print-url` prints its URL alone', async () => {
  const { sandbox } = await tunnelSandbox();
  const none = await cli(sandbox, 'tunnel', 'status');
  expect(none.code).toBe(1);
  expect(none.stderr).toContain('Start it: hookctl serve');

  const server = await serverForTest(sandbox, '--tunnel', 'cloudflared');
  await eventually('the tunnel', () => tunnelLines(server).some(({ phase }) => phase === 'up'));
  const url = await cli(sandbox, 'tunnel', 'status', '--print-url');
  expect(url).toMatchObject({ stdout: `${URL_OF_FAKE}\n`, stderr: '', code: 0 });
  const { stdout } = await cli(sandbox, 'tunnel', 'status');
  expect(stdout).toMatch(new RegExp(`^url +${URL_OF_FAKE}$`, 'm'));
  expect(stdout).toMatch(/^same url next time +no$/m);
  const json = await cliJson(sandbox, 'tunnel', 'status');
  expect(json).toMatchObject({ driver: 'cloudflared', url: URL_OF_FAKE, byte_exact: true });
  expect((await cli(sandbox, 'status')).stdout).toMatch(/^tunnel +cloudflared (up|degraded): /m);
});

test('`tunnel status` of a server without one, or whose tunnel is down, ends with 1 and says why', async () => {
  const plain = await sandboxForTest();
  const without = await serverForTest(plain);
  const none = await cli(plain, 'tunnel', 'status', '--print-url');
  expect(none).toMatchObject({ code: 1, stdout: '' });
  expect(none.stderr).toContain('hookctl serve --tunnel cloudflared');
  await without.stop();

  const sandbox = { ...plain, env: { ...plain.env, PATH: plain.root } };
  const server = await serverForTest(sandbox, '--tunnel', 'cloudflared');
  await eventually('it', () => tunnelLines(server).some(({ phase }) => phase === 'down'));
  const down = await cli(sandbox, 'tunnel', 'status', '--print-url');
  expect(down).toMatchObject({ code: 1, stdout: '' });
  expect(down.stderr).toContain('the tunnel is down: cloudflared is not installed\nInstall cloudflared: ');
});

test('`tunnel open --print-url` prints the URL alone, again when it changes, and ends with its signal', async () => {
  const { sandbox, pid } = await tunnelSandbox({ mode: 'new-name' });
  const { port } = await serverForTest(sandbox);
  const running = openForTest(sandbox, 'cloudflared', '--port', `${port}`, '--print-url');
  const urls = () => running.stdout().split('\n').slice(0, -1);
  await eventually('the URL', () => urls().length === 1);
  process.kill(pid(), 'SIGKILL');
  await eventually('the next', () => urls().length === 2);
  for (const url of urls()) expect(url).toMatch(/^https:\/\/run-\d+\.trycloudflare\.com$/);
  running.child.kill('SIGINT');
  expect(await running.ended).toMatchObject({ code: 0 });
  expect(urls()).toHaveLength(2);
  expect(isAlive(pid())).toBe(false);
});

test('`tunnel open` leads to an ingress only, and says what is missing: a server, a program, a known name', async () => {
  const plain = await sandboxForTest();
  const sandbox = { ...plain, env: { ...plain.env, PATH: plain.root } };
  const noServer = await cli(sandbox, 'tunnel', 'open', 'cloudflared');
  expect(noServer).toMatchObject({ code: 1, stdout: '' });
  expect(noServer.stderr).toContain('or name its port with --port');
  const nobody = await cli(sandbox, 'tunnel', 'open', 'cloudflared', '--port', '9');
  expect(nobody.stderr).toContain('nothing answers on 127.0.0.1:9');
  const { managementPort } = await serverForTest(sandbox);
  const management = await cli(sandbox, 'tunnel', 'open', 'ssh', '--port', `${managementPort}`);
  expect(management).toMatchObject({ code: 1, stdout: '' });
  expect(management.stderr).toContain(`port ${managementPort} is not the ingress of a hookctl server`);
  const noProgram = await cli(sandbox, 'tunnel', 'open', 'ssh', '--print-url');
  expect(noProgram).toMatchObject({ code: 1, stdout: '' });
  expect(noProgram.stderr).toMatch(/ssh down: ssh is not installed\. Install the OpenSSH client/);
  const unknown = await cli(sandbox, 'tunnel', 'open', 'carrier-pigeon');
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('there is no tunnel "carrier-pigeon"');
});
