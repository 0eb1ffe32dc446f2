import type { Connector } from '../connector.ts';

/** Where each connector is; it is loaded when a connection needs it. */
const modules: Readonly<Record<string, () => Promise<Connector>>> = {
  github: async () => (await import('./github.ts')).github,
};

/** Names of the senders at which hooks can be made. */
export const CONNECTORS: readonly string[] = Object.keys(modules);

/** The connector of that name; null when hooks can't be made there. */
export async function loadConnector(name: string): Promise<Connector | null> {
  return Object.hasOwn(modules, name) ? ((await modules[name]?.()) ?? null) : null;
}
