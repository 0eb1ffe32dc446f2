/**
 * `npm run test:half-open`: how long a tunnel with a half-open connection takes to be noticed, by the real clock. The
 * tests in `test/tunnels` do the same with scaled times.
 */
import { tunnelDrivers } from '../../src/tunnels/drivers/index.ts';
import { createProber } from '../../src/tunnels/prober.ts';
import { superviseTunnel } from '../../src/tunnels/supervisor.ts';
import { startRelay } from '../tunnels/fixtures/relay-server.ts';
import { clockAt, setScene, startIngress, until } from '../tunnels/fixtures/scene.ts';

const LIMIT_MS = 90_000;

const relay = await startRelay('gosmee');
const ingress = await startIngress();
const scene = await setScene(ingress.port);
const clock = clockAt(1);
const prober = createProber({ ingressPort: ingress.port, clock, env: {} });
ingress.useProber(prober);
const supervisor = superviseTunnel({
  driver: tunnelDrivers.smee,
  settings: { use: 'smee', url: relay.url },
  ...{ ingressPort: ingress.port, env: {}, folder: scene.folder, clock, relayKey: 'key', prober },
  report: ({ phase, reason }) => console.log(`${phase}: ${reason}`),
});
try {
  await until('the tunnel is up', () => supervisor.current().phase === 'up');
  const frozenAt = performance.now();
  relay.freeze();
  await until('the silence is noticed', () => supervisor.current().phase === 'down', LIMIT_MS * 2);
  const seconds = (performance.now() - frozenAt) / 1_000;
  console.log(`half-open noticed after ${seconds.toFixed(1)} s (wanted: ${LIMIT_MS / 1_000} s at most)`);
  process.exitCode = seconds * 1_000 <= LIMIT_MS ? 0 : 1;
} finally {
  await supervisor.close();
  await relay.stop();
  await ingress.close();
  await scene.end();
}
