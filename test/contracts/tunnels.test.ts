import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tunnelDrivers } from '../../src/tunnels/drivers/index.ts';
import { send } from '../../src/tunnels/http.ts';
import { isRelayed } from '../../src/tunnels/relay.ts';
import type { TunnelName, TunnelSettings } from '../../src/tunnels/settings.ts';
import { type OpenTunnel, publicUrl } from '../../src/tunnels/tunnel.ts';
import type { Headers } from '../../src/types.ts';
import { installFake } from '../tunnels/fixtures/programs.ts';
import { startRelay } from '../tunnels/fixtures/relay-server.ts';
import {
  clockAt,
  closeServer,
  type Ingress,
  listen,
  type Scene,
  setScene,
  startIngress,
  until,
} from '../tunnels/fixtures/scene.ts';
import { startSshServer } from '../tunnels/fixtures/ssh-server.ts';

/** A world in which a driver can open: its settings, its PATH, and the way in from outside. */
interface World {
  readonly settings: TunnelSettings;
  readonly path?: string;
  /** Where the public URL leads in this world, as the internet has no part in it. */
  readonly address: (publicUrl: string) => string;
  readonly pid?: () => number;
  readonly end: () => Promise<void>;
}

const nothing = async () => undefined;
const atPort = (port: unknown) => (url: string) =>
  url.replace(/^https?:\/\/[^/]+/, `http://127.0.0.1:${port}`);

const WORLDS: Readonly<
  Record<string, readonly [TunnelName, (scene: Scene, ingress: Ingress) => Promise<World>]>
> = {
  none: [
    'none',
    async (_scene, ingress) => ({
      settings: { use: 'none', publicUrl: `http://127.0.0.1:${ingress.port}/` },
      address: (url) => url,
      end: nothing,
    }),
  ],
  'cloudflared (fake program)': [
    'cloudflared',
    async ({ folder }) => {
      const fake = await installFake(folder, 'cloudflared');
      return {
        settings: { use: 'cloudflared' },
        path: fake.path,
        address: (url) => atPort(fake.told().edgePort)(url),
        pid: () => Number(fake.told().pid),
        end: nothing,
      };
    },
  ],
  'ngrok started by us (fake program)': [
    'ngrok',
    async ({ folder }) => {
      const fake = await installFake(folder, 'ngrok');
      return {
        settings: { use: 'ngrok', apiUrl: 'http://127.0.0.1:1' },
        path: fake.path,
        address: (url) => atPort(fake.told().edgePort)(url),
        pid: () => Number(fake.told().pid),
        end: nothing,
      };
    },
  ],
  'ngrok at a running agent': [
    'ngrok',
    async (_scene, ingress) => {
      const config = { addr: `http://localhost:${ingress.port}` };
      const tunnels = [
        { public_url: 'https://other.ngrok.app', config: { addr: 'http://localhost:1' } },
        { public_url: 'http://abc.ngrok.app', config },
        { public_url: 'https://abc.ngrok.app', config },
      ];
      const agent = createServer((_request, response) => response.end(JSON.stringify({ tunnels })));
      const port = await listen(agent);
      return {
        settings: { use: 'ngrok', apiUrl: `http://127.0.0.1:${port}` },
        address: atPort(ingress.port),
        end: () => closeServer(agent),
      };
    },
  ],
  'ssh (fake client, real server)': [
    'ssh',
    async ({ folder }) => {
      const fake = await installFake(folder, 'ssh');
      const event = { event: 'tcpip-forward', authz_code: 'OK', address: 'abc.lhr.life' };
      const server = await startSshServer({ greeting: `${JSON.stringify(event)}\n` });
      return {
        settings: { use: 'ssh', host: 'nokey@127.0.0.1', port: server.port },
        path: fake.path,
        address: (url) => atPort(server.edgePort())(url),
        pid: () => Number(fake.told().pid),
        end: server.close,
      };
    },
  ],
  'smee (smee.io dialect)': ['smee', () => relayWorld('smee')],
  'smee (gosmee dialect)': ['smee', () => relayWorld('gosmee')],
};

async function relayWorld(dialect: 'smee' | 'gosmee'): Promise<World> {
  const relay = await startRelay(dialect);
  return { settings: { use: 'smee', url: relay.url }, address: (url) => url, end: relay.stop };
}

/** All that relays and parsers like to change: escapes, number forms, line ends, bytes that are no UTF-8; 10 MB. */
function hostileBody(): Buffer {
  const head = '{"a":"\\u00e9 \\/ é","b":1.0,"c":9007199254740993,"b":2,\r\n\t"d":"';
  return Buffer.concat([
    Buffer.from(head),
    Buffer.from([0xff, 0xfe, 0x80]),
    Buffer.alloc(10_000_000, 'x'),
    Buffer.from('"}'),
  ]);
}

const HEADERS: Headers = {
  'content-type': 'application/json',
  'x-github-event': 'push',
  'x-hub-signature-256': `sha256=${'ab'.repeat(32)}`,
  'x-hookctl-relay': 'a sender cannot set the mark',
};

/** What keeps a process alive. */
function resources(): readonly string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /^(TCPSocketWrap|PipeWrap|ProcessWrap|Timeout|TLSWrap|GetAddrInfo)/.test(name));
}

/** What is there now and was not before. */
function leftOver(before: readonly string[]): readonly string[] {
  const known = [...before];
  return resources().filter((name) => {
    const at = known.indexOf(name);
    if (at !== -1) known.splice(at, 1);
    return at === -1;
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('the contract suite covers every driver', () => {
  const covered = new Set(Object.values(WORLDS).map(([name]) => name));
  expect([...covered].sort()).toEqual(Object.keys(tunnelDrivers).sort());
  for (const [name, driver] of Object.entries(tunnelDrivers)) expect(driver.name).toBe(name);
});

describe.each(Object.entries(WORLDS))('%s', (_name, [driverName, build]) => {
  const driver = tunnelDrivers[driverName];
  let ingress: Ingress;
  let scene: Scene;
  let world: World;

  beforeEach(async () => {
    ingress = await startIngress();
    scene = await setScene(ingress.port);
    world = await build(scene, ingress);
  });
  afterEach(async () => {
    await scene.end();
    await world.end();
    await ingress.close();
  });

  const open = (): Promise<OpenTunnel> => {
    const env = { PATH: world.path ?? '', HOME: scene.folder };
    return driver.open(scene.context(world.settings, { env }));
  };
  const post = (tunnel: OpenTunnel, body: Uint8Array) => {
    const url = world.address(publicUrl(tunnel, '/webhooks/github') ?? '');
    return send(url, { method: 'POST', headers: HEADERS, body, timeoutMs: 20_000 });
  };

  test('comes up with a URL, and says so', async () => {
    const tunnel = await open();
    expect(URL.canParse(tunnel.url)).toBe(true);
    expect(tunnel.url).not.toMatch(/\/$/);
    expect(tunnel.state().phase).toBe('up');
    await tunnel.close();
    expect(tunnel.state().phase).toBe('down');
  });

  test('brings bodies and headers as it promises', async () => {
    const tunnel = await open();
    const body = tunnel.byteExact ? hostileBody() : Buffer.from('{"a":"\\u00e9","b":1.0}');
    const answer = await post(tunnel, body);
    expect(answer.status).toBe(tunnel.canRespond ? 202 : answer.status);
    await until('the request arrives', () => ingress.seen.length === 1);
    const [seen] = ingress.seen;
    expect(seen?.path).toBe('/webhooks/github');
    expect(seen?.headers['x-github-event']).toBe('push');
    expect(seen?.headers['x-hub-signature-256']).toBe(HEADERS['x-hub-signature-256']);
    expect(seen?.body.equals(body)).toBe(tunnel.byteExact);
    const mark = isRelayed((seen?.headers ?? {}) as Headers, 'relay-key-of-this-test');
    expect(mark).toBe(!tunnel.byteExact);
    await tunnel.close();
  }, 30_000);

  test('leaves no process, socket or timer when it is closed, even twice', async () => {
    const before = resources();
    const tunnel = await open();
    const pid = world.pid?.();
    if (pid !== undefined) expect(isAlive(pid)).toBe(true);
    await tunnel.close();
    await tunnel.close();
    if (pid !== undefined) expect(isAlive(pid)).toBe(false);
    await until('nothing is left', () => leftOver(before).length === 0);
  });

  test('ends when its signal says so', async () => {
    const tunnel = await open();
    scene.stop.abort();
    await tunnel.close();
    expect(tunnel.state().phase).toBe('down');
  });
});

test('a missing program says how to get it, and is not tried again', async () => {
  const scene = await setScene(1);
  for (const use of ['cloudflared', 'ssh', 'ngrok'] as const) {
    const settings = use === 'ngrok' ? ({ use, apiUrl: 'http://127.0.0.1:1' } as const) : { use };
    const context = scene.context<TunnelSettings>(settings, {
      env: { PATH: scene.folder },
      clock: clockAt(0.1),
    });
    await expect(tunnelDrivers[use].open(context)).rejects.toMatchObject({
      message: `${use} is not installed`,
      fix: expect.stringContaining('Install'),
      final: true,
    });
  }
  await scene.end();
});
