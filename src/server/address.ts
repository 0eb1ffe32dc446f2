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

/** Where both sockets listen, and how senders reach the ingress. */
interface ServeAddress {
  readonly host: string;
  readonly port: number;
  readonly managementPort: number;
  /** Path of the unix socket, from the data folder. Null when management has no socket. */
  readonly managementSocket: string | null;
  /** That the user named; null when a tunnel gives one out, or there is none. */
  readonly publicUrl: string | null;
  /** Null when there is no tunnel. */
  readonly tunnel: TunnelSettings | null;
}

/** Flags that say how far the start opened the door; URLs may hold more than a host. */
export function startDetails(options: ServeOptions, address: ServeAddress): JsonObject {
  return {
    host: address.host,
    port: address.port,
    insecure_no_verify: options.insecure,
    tunnel: address.tunnel?.use ?? null,
    public_host: URL.parse(address.publicUrl ?? '')?.host ?? null,
    flags: Object.keys(options).filter((name) => name !== 'insecure'),
  };
}

/** The command line wins over webhooks.yml. Throws `usage` when both sockets are to have one port. */
export function addressOf(project: ProjectConfig, options: ServeOptions): ServeAddress {
  const address: ServeAddress = {
    host: options.host ?? project.ingress.host,
    port: options.port ?? project.ingress.port,
    managementPort: options.managementPort ?? project.management.port,
    managementSocket: project.management.socket ?? null,
    publicUrl: options.publicUrl ?? project.publicUrl ?? null,
    tunnel: options.tunnel ?? project.tunnel ?? null,
  };
  if (address.port !== address.managementPort || address.port === 0) return address;
  throw usageError(
    `ingress and management can't both have port ${address.port}: a tunnel to one would lead to the other`,
    `Choose another: --management-port ${address.port + 1}`,
  );
}
