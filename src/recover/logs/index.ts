import type { SenderLog } from '../../connect/connector.ts';
import type { Account } from '../../types.ts';

/**
 * What senders keep of what they sent; where they keep nothing, what changed since, from which the events are made again. GitHub's
 * is beside its hooks (`connect/connectors/github.ts`).
 */
const LOGS: Readonly<Record<string, (account: Account) => Promise<SenderLog>>> = {
  gitlab: async () => (await import('./gitlab.ts')).gitlabLog,
  jira: async (account) => (await import('./jira.ts')).jiraLogAt(account),
  linear: async () => (await import('./linear.ts')).linearLog,
  sentry: async () => (await import('./sentry.ts')).sentryLog,
  slack: async () => (await import('./slack.ts')).slackLog,
  stripe: async () => (await import('./stripe.ts')).stripeLog,
};

/** The log of a sender, by the name of its connector and the account there; null when it keeps none that can be read. */
export async function loadLog(connector: string, account: Account): Promise<SenderLog | null> {
  return (await LOGS[connector]?.(account)) ?? null;
}
