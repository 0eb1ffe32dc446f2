/**
 * `npm run test:ssh`: the ssh driver with OpenSSH on both sides. Apart from `npm test`, because it needs Debian's
 * openssh-server (or another sshd), which a machine with only Node does not have.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { ssh } from '../../src/tunnels/drivers/ssh.ts';
import { send } from '../../src/tunnels/http.ts';
import { createProber } from '../../src/tunnels/prober.ts';
import { superviseTunnel, type TunnelStatus } from '../../src/tunnels/supervisor.ts';
import { clockAt, listen, setScene, startIngress, until } from '../tunnels/fixtures/scene.ts';

const PLACES = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin'];

function found(program: string): string {
  const file = PLACES.map((folder) => join(folder, program)).find((candidate) => existsSync(candidate));
  if (file !== undefined) return file;
  console.error(`${program} is missing: apt install openssh-server openssh-client`);
  process.exit(1);
}

const SSHD = process.env.SSHD ?? found('sshd');
const KEYGEN = found('ssh-keygen');
found('ssh');

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}

/** An sshd of this user's own, which forwards to loopback and knows one key. */
async function startSshd(folder: string, port: number): Promise<ChildProcess> {
  const config = join(folder, 'sshd_config');
  const lines = [
    `ListenAddress 127.0.0.1`,
    `Port ${port}`,
    `HostKey ${join(folder, 'host_key')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    ...['PidFile none', 'StrictModes no', 'UsePAM no', 'PasswordAuthentication no'],
  ];
  await writeFile(config, `${lines.join('\n')}\n`);
  const sshd = spawn(SSHD, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  sshd.stderr.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  await until('sshd listens', () => said.includes('Server listening') || sshd.exitCode !== null);
  if (sshd.exitCode === null) return sshd;
  const hint =
    process.getuid?.() === 0
      ? ' (as root it needs its user and /run/sshd; any other user needs neither)'
      : '';
  throw new Error(`sshd did not start: ${said.trim()}${hint}`);
}

/** Ends sshd with the sessions that it forked. */
async function stopSshd(sshd: ChildProcess): Promise<void> {
  if (sshd.exitCode !== null) return;
  const ended = once(sshd, 'exit');
  for (const pid of childrenOf(sshd.pid)) process.kill(pid, 'SIGTERM');
  sshd.kill('SIGKILL');
  await ended;
  // Sessions that are still ending hold the other end.
  sshd.stderr?.destroy();
}

function childrenOf(pid: number | undefined): readonly number[] {
  try {
    return execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number);
  } catch {
    return [];
  }
}

const makeKey = (file: string) => execFileSync(KEYGEN, ['-q', '-t', 'ed25519', '-N', '', '-f', file]);

const ingress = await startIngress();
const scene = await setScene(ingress.port);
const { folder } = scene;
const [port, remotePort] = [await freePort(), await freePort()];
makeKey(join(folder, 'host_key'));
makeKey(join(folder, 'other_key'));
makeKey(join(folder, 'user_key'));
await copyFile(join(folder, 'user_key.pub'), join(folder, 'authorized_keys'));
let sshd = await startSshd(folder, port);

const clock = clockAt(0.1);
const prober = createProber({ ingressPort: ingress.port, clock, env: {} });
ingress.useProber(prober);
const reports: TunnelStatus[] = [];
const supervisor = superviseTunnel({
  driver: ssh,
  settings: {
    ...{ use: 'ssh', profile: 'sshd', host: `${userInfo().username}@127.0.0.1`, port, remotePort },
    ...{ url: `http://127.0.0.1:${remotePort}`, identityFile: join(folder, 'user_key') },
  },
  ...{
    ingressPort: ingress.port,
    env: process.env,
    folder: join(folder, 'tunnel'),
    clock,
    prober,
    relayKey: 'key',
  },
  report: (status) => {
    reports.push(status);
    console.log(`  ${status.phase}: ${status.reason}`);
  },
});
const comes = (what: string, reason: RegExp, after = 0) =>
  until(what, () => reports.slice(after).some((status) => reason.test(status.reason)), 30_000);

try {
  await comes('the tunnel comes up and is proven by a probe', /^a probe arrived/);
  const body = Buffer.concat([Buffer.from('{"a":"\\u00e9 \\/", "b":1.0}\r\n'), Buffer.from([0xff, 0xfe])]);
  await send(`http://127.0.0.1:${remotePort}/webhooks/github`, { method: 'POST', body, timeoutMs: 5_000 });
  assert.ok(ingress.seen[0]?.body.equals(body), 'bytes arrive as they were sent');

  let before = reports.length;
  await stopSshd(sshd);
  await comes('its loss is noticed', /^ssh ended with status 255/, before);
  sshd = await startSshd(folder, port);
  await comes('it is up again', /^a probe arrived/, before);

  before = reports.length;
  await stopSshd(sshd);
  await copyFile(join(folder, 'other_key'), join(folder, 'host_key'));
  sshd = await startSshd(folder, port);
  await comes('another server is not believed', /another key than last time/, before);
  assert.equal(supervisor.current().final, true);
  assert.match(supervisor.current().fix ?? '', /delete .*known_hosts/);
  console.log('\nOpenSSH: comes up, keeps bytes, comes back, refuses another server');
} finally {
  await supervisor.close();
  await stopSshd(sshd);
  await ingress.close();
  await scene.end();
}
