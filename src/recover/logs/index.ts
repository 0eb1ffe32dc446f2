import type { SenderLog } from '../../connect/connector.ts';

const LOGS: Readonly<Record<string, () => Promise<SenderLog>>> = {
  gitlab: async () => (await import('./gitlab.ts')).gitlabLog,
  stripe: async () => (await import('./stripe.ts')).stripeLog,
};

/** The log of a sender, by the name of its connector; null when it keeps none that can be read. */
export async function loadLog(connector: string): Promise<SenderLog | null> {
  return (await LOGS[connector]?.()) ?? null;
}
