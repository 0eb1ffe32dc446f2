import { join } from 'node:path';
import { usageError } from '../errors.ts';
import type { Services } from '../services.ts';
import { tunnelDrivers } from '../tunnels/drivers/index.ts';
import { createProber, type Prober } from '../tunnels/prober.ts';
import type { TunnelSettings } from '../tunnels/settings.ts';
import { superviseTunnel, type TunnelStatus, type TunnelSupervisor } from '../tunnels/supervisor.ts';
import type { TunnelClock } from '../tunnels/tunnel.ts';

interface ServeTunnelOptions {
  readonly settings: TunnelSettings;
  readonly ingressPort: number;
  /** Marks requests whose body a relay has changed. */
  readonly relayKey: string;
  readonly report: (status: TunnelStatus) => void;
}

/** Hosts of an ingress that also hears what comes to 127.0.0.1, where every tunnel leads. */
const REACHED = ['127.0.0.1', 'localhost', '0.0.0.0', '::'];

/** Refuses, with a usage error, to lead a tunnel to an address on which this ingress would not listen. */
export function requireReachable(host: string): void {
  if (REACHED.includes(host)) return;
  throw usageError(
    `a tunnel leads to 127.0.0.1, but the ingress is to listen on ${host}`,
    'Leave out --host (or ingress.host in webhooks.yml), or serve without a tunnel.',
  );
}

/** What the variables hold that a tunnel's settings name, whatever they are called. */
export function tunnelSecrets(settings: TunnelSettings | null, env: NodeJS.ProcessEnv): readonly string[] {
  const { tokenEnv = '', authtokenEnv = '' } = (settings ?? {}) as {
    tokenEnv?: string;
    authtokenEnv?: string;
  };
  return [env[tokenEnv] ?? '', env[authtokenEnv] ?? ''];
}

/** A tunnel to the ingress of this process, which knows the tunnel's probes when they arrive. */
export interface ServeTunnel extends TunnelSupervisor {
  readonly acceptProbe: Prober['accept'];
}

/** Opens the tunnel and keeps it open; probes through the public URL show that it leads here. */
export function openServeTunnel(services: Services, options: ServeTunnelOptions): ServeTunnel {
  const prober = createProber({
    ingressPort: options.ingressPort,
    clock: clockOf(services),
    env: services.env,
  });
  return { ...openTunnel(services, options, prober), acceptProbe: prober.accept };
}

/** The same to an ingress of another process, which would not know the probes: without `prober` there are none. */
export function openTunnel(
  services: Services,
  options: ServeTunnelOptions,
  prober: Prober | null = null,
): TunnelSupervisor {
  return superviseTunnel({
    ...options,
    driver: tunnelDrivers[options.settings.use],
    env: services.env,
    folder: join(services.located.dataFolder, 'tunnel'),
    clock: clockOf(services),
    prober,
  });
}

function clockOf({ clock }: Services): TunnelClock {
  return { now: clock.now, random: Math.random, scaled: (ms) => ms };
}
