import type { Delivery, Provider, Webhook, WebhookEvent } from '../types.ts';

/** One event of a delivery, and where it happened. */
export interface EventContext {
  readonly delivery: Delivery;
  readonly webhook: Webhook;
  readonly provider: Provider;
  readonly event: WebhookEvent;
  /** Position of the event in its delivery. */
  readonly index: number;
}

/** Whether a sender delivered it. What a person replays is to run again. */
export function isFirstHand({ trust, replayOf }: Pick<Delivery, 'trust' | 'replayOf'>): boolean {
  return trust !== 'operator' && replayOf === null;
}
