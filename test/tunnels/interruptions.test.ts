import { type ChildProcess, spawn } from 'node:child_process';
import dns from 'node:dns';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tunnelDrivers } from '../../src/tunnels/drivers/index.ts';
import { send } from '../../src/tunnels/http.ts';
import { createProber } from '../../src/tunnels/prober.ts';
import { superviseTunnel, type TunnelStatus, type TunnelSupervisor } from '../../src/tunnels/supervisor.ts';
import { type RelayServer, startRelay } from './fixtures/relay-server.ts';
import { clockAt, type Ingress, type Scene, setScene, startIngress, until } from './fixtures/scene.ts';

/** A minute is 600 ms. */
const SCALE = 0.01;
const ROUNDS = 5;
const TRIES = 5;
const NOTICED_MS = 3_000;
/** Longer than a busy machine needs. What is slow is still in time: only an order and counts are compared. */
const PATIENCE_MS = 120_000;

/** Posts numbered webhooks to a relay, one after the other, until it is stopped. */
function startSender(relay: RelayServer): {
  stop(): Promise<readonly string[]>;
  accepted(): readonly string[];
} {
  const accepted: string[] = [];
  let isRunning = true;
  const running = (async () => {
    for (let number = 1; isRunning; number += 1) {
      const headers = { 'content-type': 'application/json', 'x-number': String(number) };
      const sent = { method: 'POST', headers, body: '{}', timeoutMs: PATIENCE_MS };
      // While the server is down nothing is accepted, and a real sender would know.
      const answer = await send(relay.url, sent).catch(() => null);
      if (answer?.status === 200 || answer?.status === 202) accepted.push(String(number));
      await delay(5);
    }
  })();
  return {
    accepted: () => accepted,
    async stop() {
      isRunning = false;
      await running;
      return accepted;
    },
  };
}

/** gosmee resumes, so that nothing is lost; smee forgets at once what it could not pass on. */
const DIALECTS = [
  { dialect: 'gosmee', resumes: true, rounds: ROUNDS },
  { dialect: 'smee', resumes: false, rounds: 2 },
] as const;

describe.each(DIALECTS)('G5: a tunnel through $dialect', ({ dialect, resumes, rounds }) => {
  let relay: RelayServer;
  let ingress: Ingress;
  let scene: Scene;
  let supervisor: TunnelSupervisor;
  let sender: ReturnType<typeof startSender>;
  const reports: TunnelStatus[] = [];
  const realLookup = dns.lookup;

  beforeAll(async () => {
    relay = await startRelay(dialect);
    ingress = await startIngress();
    scene = await setScene(ingress.port);
    const clock = clockAt(SCALE);
    const prober = createProber({ ingressPort: ingress.port, clock, env: {} });
    ingress.useProber(prober);
    supervisor = superviseTunnel({
      driver: tunnelDrivers.smee,
      settings: { use: 'smee', url: relay.url.replace('127.0.0.1', 'localhost') },
      ...{ ingressPort: ingress.port, env: {}, folder: scene.folder, clock, relayKey: 'key', prober },
      report: (status) => void reports.push(status),
    });
    await until('the tunnel is up', () => supervisor.current().phase === 'up');
    sender = startSender(relay);
  });
  afterAll(async () => {
    await supervisor.close();
    await relay.stop();
    await ingress.close();
    await scene.end();
  });

  const numbers = () => ingress.seen.map(({ headers }) => Number(headers['x-number']));
  const refusedOnReturn = async (status: number, headers?: Record<string, string>) => {
    relay.refuseWith(status, headers);
    relay.resetAll();
    const before = relay.refused();
    await until('it is refused twice', () => relay.refused() >= before + 2);
    relay.refuseWith(null);
  };
  const withoutDns = async () => {
    const offline = (_host: string, _options: unknown, done: (error: Error) => void) =>
      setImmediate(done, Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }));
    Object.assign(dns, { lookup: offline });
    relay.resetAll();
    await until('the name is not found', () => supervisor.current().reason.includes('ENOTFOUND'));
    Object.assign(dns, { lookup: realLookup });
  };
  const restart = async () => {
    await relay.stop();
    await delay(100);
    await relay.start();
  };

  test.each<readonly [string, () => Promise<void> | void]>([
    ['a clean close', () => relay.endAll()],
    ['a reset', () => relay.resetAll()],
    ['a 502 on the way back', () => refusedOnReturn(502)],
    ['half-open silence', () => relay.freeze()],
    ['the loss of DNS', withoutDns],
    ['a 429', () => refusedOnReturn(429, { 'retry-after': '2' })],
    ['a restart of the server', restart],
  ])(
    `notices and survives ${rounds} × %s`,
    async (_name, interrupt) => {
      for (let round = 0; round < rounds; round += 1) {
        const before = reports.length;
        await until('webhooks arrive', () => ingress.seen.length > 0);
        await interrupt();
        await until('it is noticed', () => reports.slice(before).some(({ phase }) => phase === 'down'));
        await until('it is back', () => supervisor.current().phase === 'up' && relay.listeners() > 0);
        const sent = Number(sender.accepted().at(-1) ?? 0);
        await until('something new arrives', () => numbers().some((number) => number > sent));
      }
    },
    PATIENCE_MS,
  );

  test(`with 0 webhooks doubled${resumes ? ', and 0 lost' : ''}, in their order, in all that`, async () => {
    const accepted = await sender.stop();
    if (resumes) await until('the last one arrives', () => ingress.seen.length >= accepted.length);
    if (resumes) expect(numbers()).toEqual(accepted.map(Number));
    else expect(numbers()).toEqual([...new Set(numbers())].toSorted((one, other) => one - other));
    expect(accepted.length).toBeGreaterThan(100);
    expect(supervisor.current().restarts).toBeGreaterThanOrEqual(7 * rounds);
  });
});

describe('a process that is stopped for a minute', () => {
  test(
    `notices ${ROUNDS} times that it slept, and loses and doubles nothing`,
    async () => {
      const relay = await startRelay('gosmee');
      const scene = await setScene(1);
      const runner = new URL('./fixtures/run-smee.ts', import.meta.url).pathname;
      const args = [runner, relay.url, String(SCALE), scene.folder];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const { seen, reasons } = read(child);
      await until('the tunnel is up', () => relay.listeners() === 1);
      const sender = startSender(relay);
      for (let round = 1; round <= ROUNDS; round += 1) {
        const before = seen.length;
        await until('webhooks arrive', () => seen.length > before + 3);
        // A busy machine may look like one that slept, but not for this long.
        const slept = () =>
          reasons.filter((reason) => /^woke after (?:[3-9]\d\d ms|\d+ s)/.test(reason)).length;
        // Stopped while it opens the tunnel anew, because the machine is busy, it watches nothing: then once more.
        for (let tries = 0; slept() < round && tries < TRIES; tries += 1) {
          child.kill('SIGSTOP');
          await delay(60_000 * SCALE);
          child.kill('SIGCONT');
          await until('it notices', () => slept() >= round, NOTICED_MS).catch(() => undefined);
        }
        expect(slept()).toBeGreaterThanOrEqual(round);
      }
      const accepted = await sender.stop();
      await until('the last one arrives', () => seen.length >= accepted.length);
      expect(seen).toEqual(accepted);
      child.kill('SIGTERM');
      const [code] = await once(child, 'exit');
      expect(code).toBe(0);
      await relay.stop();
      await scene.end();
    },
    PATIENCE_MS,
  );
});

function read(child: ChildProcess): {
  readonly seen: readonly string[];
  readonly reasons: readonly string[];
} {
  const seen: string[] = [];
  const reasons: string[] = [];
  if (child.stdout === null) throw new Error('the runner has no output');
  createInterface({ input: child.stdout }).on('line', (line) => {
    const told = JSON.parse(line) as { readonly seen?: string; readonly reason?: string };
    if (told.seen !== undefined) seen.push(told.seen);
    if (told.reason !== undefined) reasons.push(told.reason);
  });
  return { seen, reasons };
}
