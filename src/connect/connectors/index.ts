import type { Connector } from '../connector.ts';

/** Where each connector is; it is loaded when a connection needs it. */
const modules: Readonly<Record<string, () => Promise<Connector>>> = {
  github: async () => (await import('./github.ts')).github,
  gitlab: async () => (await import('./gitlab.ts')).gitlab,
  gitea: async () => (await import('./gitea.ts')).gitea,
  jira: async () => (await import('./jira.ts')).jira,
  linear: async () => (await import('./linear.ts')).linear,
  sentry: async () => (await import('./sentry.ts')).sentry,
  stripe: async () => (await import('./stripe.ts')).stripe,
  bitbucket: async () => (await import('./bitbucket.ts')).bitbucket,
  slack: async () => (await import('./slack.ts')).slack,
  shopify: async () => (await import('./shopify.ts')).shopify,
};

/** Names of the senders at which hooks can be made. */
export const CONNECTORS: readonly string[] = Object.keys(modules);

/** The connector of that name; null when hooks can't be made there. */
export async function loadConnector(name: string): Promise<Connector | null> {
  return Object.hasOwn(modules, name) ? ((await modules[name]?.()) ?? null) : null;
}
