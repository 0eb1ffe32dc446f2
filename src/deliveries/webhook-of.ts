import type { Delivery, Snapshot, Webhook } from '../types.ts';

/**
 * The webhook that a stored delivery belongs to, also when it has another name today; null when it is gone. Deliveries
 * from before ids were stored have only a name.
 */
export function findWebhook(
  { byName, byWebhookId }: Snapshot,
  { webhook, webhookId }: Pick<Delivery, 'webhook' | 'webhookId'>,
): Webhook | null {
  return (webhookId === null ? byName.get(webhook) : byWebhookId.get(webhookId)) ?? null;
}

/** Its id in the store; null for one that is written in code, which its name tells for good. */
export function webhookIdOf({ origin }: Webhook): string | null {
  return origin.kind === 'dynamic' ? origin.webhookId : null;
}
