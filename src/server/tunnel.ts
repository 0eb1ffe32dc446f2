import { join } from 'node:path';
import type { App } from '../app.ts';
import { tunnelDrivers } from '../tunnels/index.ts';
import { createProber, type Prober } from '../tunnels/prober.ts';
import type { TunnelSettings } from '../tunnels/settings.ts';
import { superviseTunnel, type TunnelStatus, type TunnelSupervisor } from '../tunnels/supervisor.ts';
import type { TunnelClock } from '../tunnels/tunnel.ts';

export interface ServeTunnelOptions {
  readonly settings: TunnelSettings;
  readonly ingressPort: number;
  /** Marks requests whose body a relay has changed. */
  readonly relayKey: string;
  readonly report: (status: TunnelStatus) => void;
}

/** A tunnel to the ingress of this process, which knows the tunnel's probes when they arrive. */
export interface ServeTunnel extends TunnelSupervisor {
  readonly acceptProbe: Prober['accept'];
}

/** Opens the tunnel and keeps it open; probes through the public URL show that it leads here. */
export function openServeTunnel(app: App, options: ServeTunnelOptions): ServeTunnel {
  const prober = createProber({ ingressPort: options.ingressPort, clock: clockOf(app), env: app.env });
  return { ...openTunnel(app, options, prober), acceptProbe: prober.accept };
}

/** The same to an ingress of another process, which would not know the probes: without `prober` there are none. */
export function openTunnel(
  app: App,
  options: ServeTunnelOptions,
  prober: Prober | null = null,
): TunnelSupervisor {
  return superviseTunnel({
    ...options,
    driver: tunnelDrivers[options.settings.use],
    env: app.env,
    folder: join(app.located.dataFolder, 'tunnel'),
    clock: clockOf(app),
    prober,
  });
}

function clockOf({ clock }: App): TunnelClock {
  return { now: clock.now, random: Math.random, scaled: (ms) => ms };
}
