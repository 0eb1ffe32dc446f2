import type { Engine } from '../../deliveries/engine.ts';
import type { Receipt } from '../../deliveries/receipt.ts';
import { receive } from '../../deliveries/receive.ts';
import type { RawRequest, Webhook } from '../../types.ts';
import type { Metrics } from '../metrics.ts';
import type { RefusalCount, ServeReporter } from '../reporter.ts';

interface ReceiverParts extends Pick<Engine, 'context' | 'queue'> {
  readonly reporter: Pick<ServeReporter, 'received'>;
  /** Counts what is refused without a row. */
  readonly unrecorded: Pick<RefusalCount, 'add'>;
  readonly metrics: Pick<Metrics, 'received'>;
}

/**
 * Steps 1–5 for the ingress; what is to be worked off goes into the queue and is not waited for. Throws `queue_full`, or
 * what the store says, before anything is promised.
 */
export function receiver({ context, queue, reporter, metrics, unrecorded }: ReceiverParts) {
  return async (webhook: Webhook, request: RawRequest): Promise<Receipt> => {
    queue.requireRoom();
    const receipt = await receive(context, webhook, request);
    metrics.received(receipt);
    if (receipt.recorded) reporter.received(receipt);
    else unrecorded.add();
    const { deliveryId: id, externalId, status, settled } = receipt;
    if (settled !== null) queue.passBy(settled);
    if (status === 'pending')
      void queue.push({ id, externalId, attempts: 0, nextAttemptAt: null }, receipt.arrived);
    return receipt;
  };
}
