import type { SenderLog } from '../../connect/connector.ts';

/**
 * What senders keep of what they sent; where they keep nothing, what changed since, from which the events are made again. GitHub's
 * is beside its hooks (`connect/connectors/github.ts`).
 */
const LOGS: Readonly<Record<string, () => Promise<SenderLog>>> = {
  gitlab: async () => (await import('./gitlab.ts')).gitlabLog,
  jira: async () => (await import('./jira.ts')).jiraLog,
  linear: async () => (await import('./linear.ts')).linearLog,
  sentry: async () => (await import('./sentry.ts')).sentryLog,
  stripe: async () => (await import('./stripe.ts')).stripeLog,
};

/** The log of a sender, by the name of its connector; null when it keeps none that can be read. */
export async function loadLog(connector: string): Promise<SenderLog | null> {
  return (await LOGS[connector]?.()) ?? null;
}
