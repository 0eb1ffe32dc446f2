import type { Ack, DeliveryStatus, Webhook } from '../types.ts';
import type { DispatchResult } from './context.ts';
import type { ParsedDelivery } from './dispatch.ts';

/** What `receive` made of a request: the row that was written, and the answer to send. */
export interface Receipt {
  readonly deliveryId: string;
  readonly webhook: Webhook;
  /** `limited`: it was verified and turned away, because its webhook has had too many; nothing of it is stored. */
  readonly status: Exclude<DeliveryStatus, 'processed' | 'failed'> | 'limited';
  /** False: there is no row of it, because rows like it come too often. */
  readonly recorded: boolean;
  readonly reason: string | null;
  /** What a refused request was signed by instead, for the operator alone; null: nothing is known. */
  readonly hint: string | null;
  readonly eventType: string | null;
  readonly externalId: string | null;
  readonly senderName: string | null;
  readonly size: number;
  readonly ack: Ack;
  /** What was made of a delivery that is to be worked off. */
  readonly arrived?: ParsedDelivery;
  /** Its end, where that was certain at once. */
  readonly settled: DispatchResult | null;
}
