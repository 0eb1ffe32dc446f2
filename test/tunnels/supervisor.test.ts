import { createServer } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tunnelDrivers } from '../../src/tunnels/drivers/index.ts';
import { createProber } from '../../src/tunnels/prober.ts';
import type { TunnelSettings } from '../../src/tunnels/settings.ts';
import { superviseTunnel, type TunnelStatus, type TunnelSupervisor } from '../../src/tunnels/supervisor.ts';
import { type Edge, startEdge } from './fixtures/edge.ts';
import { installFake } from './fixtures/programs.ts';
import {
  closeServer,
  type Ingress,
  listen,
  type Scene,
  setScene,
  startIngress,
  startTickingClock,
  until,
} from './fixtures/scene.ts';

let ingress: Ingress;
let scene: Scene;
let reports: TunnelStatus[];
let supervisor: TunnelSupervisor;
let clock: ReturnType<typeof startTickingClock>;

beforeEach(async () => {
  ingress = await startIngress();
  scene = await setScene(ingress.port);
  reports = [];
});
afterEach(async () => {
  await supervisor.close();
  clock[Symbol.dispose]();
  await ingress.close();
  await scene.end();
});

function supervise(settings: TunnelSettings, { scale = 0.02, path = '', probes = true } = {}): void {
  clock = startTickingClock(scale, () => 0.5);
  // What a probe waits for is not shortened: each of them ends by its answer, however late that comes.
  const patient = { ...clock, scaled: (ms: number) => ms * 5 };
  const prober = probes ? createProber({ ingressPort: ingress.port, clock: patient, env: {} }) : null;
  if (prober !== null) ingress.useProber(prober);
  supervisor = superviseTunnel({
    driver: tunnelDrivers[settings.use],
    settings,
    ingressPort: ingress.port,
    env: { PATH: path, HOME: scene.folder },
    ...{ folder: scene.folder, clock, relayKey: 'key', prober },
    report: (status) => void reports.push(status),
  });
}
const comes = (what: string, reason: RegExp) =>
  until(what, () => reports.some((report) => reason.test(report.reason)));

describe('a tunnel that somebody else keeps up', () => {
  let edge: Edge;
  beforeEach(async () => {
    edge = await startEdge(() => connect(ingress.port, '127.0.0.1'));
    supervise({ use: 'none', publicUrl: `http://127.0.0.1:${edge.port}` });
    await comes('the first probe', /^a probe arrived/);
  });
  afterEach(() => edge.close());

  test('is proven by a probe, and each state has a reason and a time', () => {
    expect(reports.map(({ phase }) => phase)).toEqual(['connecting', 'up', 'up']);
    expect(supervisor.current()).toBe(reports.at(-1));
    expect(supervisor.current()).toMatchObject({ phase: 'up', driver: 'none', restarts: 0, final: false });
    expect(supervisor.current().provenAt).toBeGreaterThanOrEqual(supervisor.current().since);
  });

  test('that dies becomes degraded, and is opened again after three probes', async () => {
    await edge.close();
    await comes('it is noticed', /^the tunnel is dead: http/);
    await until('it is opened again', () => supervisor.current().restarts > 0);
    const phases = reports.map(({ phase }) => phase);
    expect(phases.indexOf('degraded')).toBeLessThan(phases.indexOf('down'));
    expect(reports.find(({ phase }) => phase === 'down')?.reason).toMatch(
      /^the tunnel is dead.*; next try in \d+ s$/,
    );
  });

  test('is left alone when it is the ingress that died', async () => {
    await ingress.close();
    await comes('it is noticed', /^the ingress is dead/);
    expect(supervisor.current()).toMatchObject({ phase: 'degraded', restarts: 0 });
  });
});

test.each([
  ['a URL that leads elsewhere is called wrong', 404, /^wrong URL/],
  ['a tunnel through which no probe ever came is called dead', 502, /^the tunnel is dead/],
])('%s, once, and not opened again and again', async (_what, status, reason) => {
  let probes = 0;
  const stranger = createServer((_request, response) => {
    probes += 1;
    response.writeHead(status).end();
  });
  supervise({ use: 'none', publicUrl: `http://127.0.0.1:${await listen(stranger)}` });
  await comes('it is noticed', reason);
  await until('it was probed again and again', () => probes >= 5);
  expect(reports.map(({ phase }) => phase)).toEqual(['connecting', 'up', 'degraded']);
  expect(supervisor.current()).toMatchObject({ phase: 'degraded', restarts: 0, provenAt: null });
  await closeServer(stranger);
});

test('a child that dies is started again, and its new URL is told with the old one', async () => {
  const fake = await installFake(scene.folder, 'cloudflared', { mode: 'new-name' });
  supervise({ use: 'cloudflared' }, { scale: 1, path: fake.path, probes: false });
  await until('it is up', () => supervisor.current().phase === 'up');
  const old = supervisor.current().tunnel?.url;
  process.kill(Number(fake.told().pid), 'SIGKILL');
  await until(
    'it is up again',
    () => supervisor.current().phase === 'up' && supervisor.current().restarts === 1,
  );
  const { tunnel, previousUrl, reason } = supervisor.current();
  expect(previousUrl).toBe(old);
  expect(tunnel?.url).not.toBe(old);
  expect(reason).toBe(`the public URL changed from ${old} to ${tunnel?.url}`);
  expect(reports.find(({ phase }) => phase === 'down')?.reason).toMatch(/^cloudflared was ended by SIGKILL/);
});

test('what trying again cannot cure is down for good, with what to do', async () => {
  supervise({ use: 'cloudflared' }, { path: scene.folder });
  await until('it is down', () => supervisor.current().phase === 'down');
  expect(supervisor.current()).toMatchObject({ final: true, reason: 'cloudflared is not installed' });
  expect(supervisor.current().fix).toContain('brew install cloudflared');
});

test('closes also while it waits for the next try', async () => {
  supervise({ use: 'smee', url: 'http://127.0.0.1:1/nobody' }, { scale: 1 });
  await until('it is down', () => supervisor.current().phase === 'down');
  await supervisor.close();
  expect(supervisor.current().phase).toBe('down');
});

test('half-open silence: unscaled, the limit and one tick together are below 90 s', () => {
  const tickMs = 5_000;
  expect((tunnelDrivers.smee.silenceMs ?? Number.NaN) + tickMs).toBeLessThan(90_000);
});
