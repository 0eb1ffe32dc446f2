import type { ProjectConfig } from '../config/project/schema.ts';
import { usageError } from '../errors.ts';
import type { TunnelSettings } from '../tunnels/settings.ts';
import type { JsonObject } from '../types.ts';

/** What the command line says; the rest comes from webhooks.yml. */
export interface ServeOptions {
  readonly host?: string;
  readonly port?: number;
  readonly managementPort?: number;
  readonly publicUrl?: string;
  readonly tunnel?: TunnelSettings;
  /** Webhooks that accept everything unverified. */
  readonly insecure: readonly string[];
}

/** Where to listen, and how senders get there. */
interface ServeAddress {
  readonly host: string;
  readonly port: number;
  readonly managementPort: number;
  /** That the user named; null when a tunnel gives one out, or there is none. */
  readonly publicUrl: string | null;
  /** Null: no tunnel. */
  readonly tunnel: TunnelSettings | null;
}

/** Flags that say how far the start opened the door; URLs may hold more than a host. */
export function startDetails(options: ServeOptions, place: ServeAddress): JsonObject {
  return {
    host: place.host,
    port: place.port,
    insecure_no_verify: options.insecure,
    tunnel: place.tunnel?.use ?? null,
    public_host: URL.parse(place.publicUrl ?? '')?.host ?? null,
    flags: Object.keys(options).filter((name) => name !== 'insecure'),
  };
}

/** The command line wins over webhooks.yml. Throws `usage` when both sockets are to have one port. */
export function placeOf(project: ProjectConfig, options: ServeOptions): ServeAddress {
  const place: ServeAddress = {
    host: options.host ?? project.ingress.host,
    port: options.port ?? project.ingress.port,
    managementPort: options.managementPort ?? project.management.port,
    publicUrl: options.publicUrl ?? project.publicUrl ?? null,
    tunnel: options.tunnel ?? project.tunnel ?? null,
  };
  if (place.port !== place.managementPort || place.port === 0) return place;
  throw usageError(
    `ingress and management can't both have port ${place.port}: a tunnel to one would lead to the other`,
    `Choose another: --management-port ${place.port + 1}`,
  );
}
