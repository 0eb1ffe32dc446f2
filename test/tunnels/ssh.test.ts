import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SSH_SERVICES, ssh } from '../../src/tunnels/drivers/ssh.ts';
import { send } from '../../src/tunnels/http.ts';
import type { SshProfileName } from '../../src/tunnels/settings.ts';
import type { OpenTunnel } from '../../src/tunnels/tunnel.ts';
import { installFake } from './fixtures/programs.ts';
import { type Ingress, type Scene, setScene, startIngress, until } from './fixtures/scene.ts';
import { type SshServer, type SshServerOptions, startSshServer } from './fixtures/ssh-server.ts';

const hasSsh = (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'ssh')));
/** Both, where the machine has OpenSSH; else the fake client alone, which speaks SSH through ssh2. */
const CLIENTS = hasSsh ? ['the ssh of this machine', 'a fake client'] : ['a fake client (no ssh here)'];

const CLASSIC = '{"event":"tcpip-forward","authz_code":"OK","address":"abc.lhr.life","listen_port":80}';
const CLOUD_EVENT =
  '{"specversion":"1.0","type":"v1.tcpip_forward.register.accepted","id":"localhost/abc.lhr.life",' +
  '"data":"abc.lhr.life tunneled with tls termination, https://abc.lhr.life"}';
const BANNER =
  '{"event":"authn","message":"manage domains at https://admin.localhost.run/"}\ntunnel config: inject-http-proxy-headers=false\n';

describe.each(CLIENTS)('ssh with %s and a real server', (client) => {
  let ingress: Ingress;
  let scene: Scene;
  let server: SshServer;

  beforeEach(async () => {
    ingress = await startIngress();
    scene = await setScene(ingress.port);
  });
  afterEach(async () => {
    await scene.end();
    await server.close();
    await ingress.close();
  });

  async function open(
    profile: SshProfileName,
    options: SshServerOptions = {},
    settings: { readonly url?: string } = {},
  ): Promise<OpenTunnel> {
    server = await startSshServer(options);
    const path = client.startsWith('a fake')
      ? (await installFake(scene.folder, 'ssh')).path
      : process.env.PATH;
    const use = { use: 'ssh', profile, host: 'nokey@127.0.0.1', port: server.port, ...settings } as const;
    return ssh.open(scene.context(use, { env: { PATH: path, HOME: scene.folder } }));
  }
  const post = () => {
    const url = `http://127.0.0.1:${server.edgePort()}/webhooks/github`;
    return send(url, { method: 'POST', body: 'x', timeoutMs: 5_000 });
  };

  test.each([
    ['JSON', CLASSIC],
    ['CloudEvents', CLOUD_EVENT],
    ['text', 'abc.lhr.life tunneled with tls termination, https://abc.lhr.life'],
  ])('reads the address of localhost.run in %s', async (_dialect, line) => {
    const tunnel = await open('localhost.run', { greeting: `${BANNER}${line}\n` });
    expect(tunnel).toMatchObject({ url: 'https://abc.lhr.life', stable: false, byteExact: true });
    expect(server.asked()).toBe('--output json');
    expect((await post()).status).toBe(202);
    await tunnel.close();
    await until('the connection is gone', () => server.connections() === 0);
  });

  test('follows the address when it changes', async () => {
    const tunnel = await open('localhost.run', { greeting: `${CLASSIC}\n` });
    server.print(`${CLASSIC.replace('abc', 'new')}\n`);
    const changed = () =>
      scene.news.some((news) => news.kind === 'url' && news.url === 'https://new.lhr.life');
    await until('the new address is told', changed);
    await tunnel.close();
  });

  test('takes a free pinggy tunnel, and tells when it ends', async () => {
    const greeting =
      'You are not authenticated.\r\nYour tunnel will expire in 60 minutes.\r\n\r\nhttp://a-1.a.free.pinggy.link\r\nhttps://a-1.a.free.pinggy.link\r\n';
    const tunnel = await open('pinggy', { greeting, wantsPassword: true });
    expect(tunnel.url).toBe('https://a-1.a.free.pinggy.link');
    expect(tunnel.expiresAt).toBeGreaterThan(Date.now() + 3_500_000);
    await tunnel.close();
  });

  test('reads serveo through its colours', async () => {
    const greeting = '\u001b[32mForwarding HTTP traffic from https://abc.serveousercontent.com\u001b[0m\r\n';
    const tunnel = await open('serveo', { greeting });
    expect(tunnel.url).toBe('https://abc.serveousercontent.com');
    expect(server.asked()).toBe('shell');
    await tunnel.close();
  });

  test('keeps up a forwarding at any SSH server', async () => {
    const tunnel = await open('sshd', {}, { url: 'https://hooks.example.com' });
    expect(tunnel).toMatchObject({ url: 'https://hooks.example.com', stable: true });
    expect(server.asked()).toBeNull();
    expect((await post()).status).toBe(202);
    await tunnel.close();
  });

  test('says so when the server refuses to forward', async () => {
    const refused = open('sshd', { refuseForwarding: true }, { url: 'https://hooks.example.com' });
    await expect(refused).rejects.toThrow(/remote port forwarding failed/);
  });

  test('notices that the connection is gone', async () => {
    const tunnel = await open('localhost.run', { greeting: `${CLASSIC}\n` });
    server.dropAll();
    await until('it is down', () => tunnel.state().phase === 'down');
    expect(tunnel.state().reason).toMatch(/^ssh ended with status 255: .*(closed by remote host|disconnect)/);
  });
});

describe('what SSH services print', () => {
  const read = (name: keyof typeof SSH_SERVICES & Exclude<SshProfileName, 'sshd'>, line: string) =>
    SSH_SERVICES[name].read(line);

  test.each([
    '{"event":"tcpip-forward","authz_code":"OK","address":"abc.lhr.life.evil.test"}',
    '{"event":"tcpip-forward","authz_code":"OK","address":"evil.test/abc.lhr.life"}',
    '{"event":"tcpip-forward","authz_code":"OK","address":"evil.test#.lhr.life"}',
    '{"event":"tcpip-forward","authz_code":"OK","address":"user@abc.lhr.life"}',
    'evil.test tunneled with tls termination, https://evil.test',
    'see https://admin.localhost.run/ and https://localhost.run/docs',
    '{"event":"authn","message":"https://abc.lhr.life"}',
  ])('is no address of localhost.run: %s', (line) => {
    expect(read('localhost.run', line)).toBeNull();
  });

  test('a refusal of localhost.run is a failure, in both dialects', () => {
    const classic = '{"event":"tcpip-forward","authz_code":"DENIED","message":"too many"}';
    const cloudEvent = '{"type":"v1.tcpip_forward.register.rejected","data":"too many"}';
    for (const line of [classic, cloudEvent]) {
      expect(read('localhost.run', line)).toMatchObject({
        kind: 'failure',
        failure: { message: /too many/ },
      });
    }
  });

  test('addresses on hostile suffixes are none of pinggy or serveo', () => {
    expect(read('pinggy', 'https://a.pinggy.link.evil.test')).toBeNull();
    expect(read('pinggy', 'https://evilpinggy.link')).toBeNull();
    expect(read('serveo', 'Forwarding HTTP traffic from https://serveo.net.evil.test')).toBeNull();
  });

  test('pinggy’s own API names it too', () => {
    const answer = '{"urls":["http://a.free.pinggy.link","https://a.free.pinggy.link"]}';
    expect(read('pinggy', answer)).toEqual({ kind: 'url', url: 'https://a.free.pinggy.link' });
  });
});

test('a host that ssh would read as an option is refused', async () => {
  const scene = await setScene(1);
  const settings = { use: 'ssh', host: '-oProxyCommand=touch x' } as const;
  await expect(ssh.open(scene.context(settings))).rejects.toMatchObject({ final: true });
  await scene.end();
});
