import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cloudflared } from '../../src/tunnels/drivers/cloudflared.ts';
import { findTunnel, ngrok } from '../../src/tunnels/drivers/ngrok.ts';
import type { TunnelSettings } from '../../src/tunnels/settings.ts';
import { type FakeProgram, installFake } from './fixtures/programs.ts';
import { clockAt, type Ingress, type Scene, setScene, startIngress, until } from './fixtures/scene.ts';

let ingress: Ingress;
let scene: Scene;

beforeEach(async () => {
  ingress = await startIngress();
  scene = await setScene(ingress.port);
});
afterEach(async () => {
  await scene.end();
  await ingress.close();
});

const at = <S extends TunnelSettings>(fake: FakeProgram, settings: S, env: Record<string, string> = {}) =>
  scene.context(settings, {
    env: { PATH: fake.path, HOME: scene.folder, GITHUB_WEBHOOK_SECRET: 's3cret', ...env },
  });

describe('cloudflared', () => {
  test('takes the URL from the metrics server, not from what is printed', async () => {
    const fake = await installFake(scene.folder, 'cloudflared');
    const tunnel = await cloudflared.open(at(fake, { use: 'cloudflared' }));
    expect(tunnel.url).toBe('https://oklahoma-solo-younger-truck.trycloudflare.com');
    expect(tunnel.stable).toBe(false);
    await tunnel.close();
  });

  test('is started without the configuration of the user, without updates, and without our secrets', async () => {
    const fake = await installFake(scene.folder, 'cloudflared');
    const tunnel = await cloudflared.open(at(fake, { use: 'cloudflared' }));
    const { args, config, env } = fake.told();
    expect(args).toContain('--no-autoupdate');
    expect(args).toContain(`http://127.0.0.1:${ingress.port}`);
    expect(config).toBe('');
    expect(env).not.toHaveProperty('GITHUB_WEBHOOK_SECRET');
    await tunnel.close();
  });

  test.each(['evil.trycloudflare.com.attacker.test', 'attacker.test', 'x/y.trycloudflare.com'])(
    'never believes the address %s',
    async (hostname) => {
      const fake = await installFake(scene.folder, 'cloudflared', { hostname });
      const context = { ...at(fake, { use: 'cloudflared' }), clock: clockAt(0.025) };
      await expect(cloudflared.open(context)).rejects.toThrow(
        /gave no URL within 1.5 s; it printed: .*Quick|quick/,
      );
    },
  );

  test('never takes the address of the API for a tunnel', async () => {
    const fake = await installFake(scene.folder, 'cloudflared', { mode: 'api-only' });
    const context = { ...at(fake, { use: 'cloudflared' }), clock: clockAt(0.025) };
    await expect(cloudflared.open(context)).rejects.toThrow('gave no URL');
  });

  test('explains the rate limit and waits minutes', async () => {
    const fake = await installFake(scene.folder, 'cloudflared', { mode: 'rate-limited' });
    await expect(cloudflared.open(at(fake, { use: 'cloudflared' }))).rejects.toMatchObject({
      message: expect.stringContaining('no more quick tunnels'),
      retryAfterMs: 300_000,
      final: false,
    });
  });

  test('runs a named tunnel with the token in the environment only', async () => {
    const fake = await installFake(scene.folder, 'cloudflared', { ingress: `127.0.0.1:${ingress.port}` });
    const settings = { use: 'cloudflared', tokenEnv: 'MY_TOKEN', url: 'https://hooks.example.com/' } as const;
    const tunnel = await cloudflared.open(at(fake, settings, { MY_TOKEN: 'eyJh' }));
    expect(tunnel).toMatchObject({ url: 'https://hooks.example.com', stable: true });
    expect(fake.told().env).toMatchObject({ TUNNEL_TOKEN: 'eyJh' });
    expect(JSON.stringify(fake.told().args)).not.toContain('eyJh');
    await tunnel.close();
    await expect(cloudflared.open(at(fake, settings))).rejects.toMatchObject({
      final: true,
      fix: 'Set MY_TOKEN.',
    });
  });

  test('is killed when it does not end by itself', async () => {
    const fake = await installFake(scene.folder, 'cloudflared', { mode: 'stubborn' });
    const tunnel = await cloudflared.open({ ...at(fake, { use: 'cloudflared' }), clock: clockAt(0.1) });
    await until('it is ready', () => fake.told().edgePort !== undefined);
    await tunnel.close();
    expect(fake.told().askedToStop).toBe(true);
    expect(() => process.kill(Number(fake.told().pid), 0)).toThrow('ESRCH');
  });

  test('shows its last lines when it dies', async () => {
    const fake = await installFake(scene.folder, 'cloudflared');
    const tunnel = await cloudflared.open(at(fake, { use: 'cloudflared' }));
    process.kill(Number(fake.told().pid), 'SIGKILL');
    await until('it is down', () => tunnel.state().phase === 'down');
    expect(tunnel.state().reason).toMatch(/^cloudflared was ended by SIGKILL: .*printed-not-served/);
    expect(tunnel.state().reason).not.toContain('\u001b');
  });
});

describe('ngrok', () => {
  const settings = { use: 'ngrok', apiUrl: 'http://127.0.0.1:1' } as const;

  test('picks the tunnel that leads here, whatever else it prints', async () => {
    const fake = await installFake(scene.folder, 'ngrok');
    const tunnel = await ngrok.open(at(fake, settings));
    expect(tunnel.url).toBe('https://abc.ngrok-free.app');
    await tunnel.close();
  });

  test.each([
    [
      'ERR_NGROK_108',
      { retryAfterMs: 60_000, final: false, message: expect.stringContaining('one agent at a time') },
    ],
    ['ERR_NGROK_4018', { final: true, fix: expect.stringContaining('add-authtoken') }],
    ['ERR_NGROK_9999', { final: false, message: expect.stringContaining('ended with status 1: ') }],
  ])('explains %s', async (error, failure) => {
    const fake = await installFake(scene.folder, 'ngrok', { error });
    await expect(ngrok.open(at(fake, settings))).rejects.toMatchObject(failure);
  });

  test('recognises an address in each of its forms, and no other port', () => {
    const find = (addr: string, url = 'https://a.test') => findTunnel([{ addr, url }], 8000);
    for (const addr of ['8000', 'localhost:8000', 'http://localhost:8000', 'http://127.0.0.1:8000/']) {
      expect(find(addr), addr).toBe('https://a.test');
    }
    for (const addr of ['18000', 'localhost:80001', 'http://10.0.0.1:8000', 'http://evil.test:8000', '']) {
      expect(find(addr), addr).toBeNull();
    }
    expect(find('8000', 'http://a.test')).toBeNull();
  });
});
