import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { receive } from '../../src/deliveries/receive.ts';
import { createIngress } from '../../src/server/ingress/ingress.ts';
import type { Delivery } from '../../src/types.ts';
import type { TestEngine } from './engine.ts';
import { eventually } from './eventually.ts';

/** The ingress of an engine on a free port of loopback; closed when the test ends. Returns its URL. */
export async function openDoor({ context, queue }: TestEngine): Promise<string> {
  const server = createIngress({
    snapshot: context.snapshot,
    acceptProbe: () => false,
    async receive(webhook, request) {
      const receipt = await receive(context, webhook, request);
      const { deliveryId: id, externalId, status, parsedDelivery: arrived } = receipt;
      if (status === 'pending')
        void queue.push({ id, externalId, attempts: 0, nextAttemptAt: null }, arrived);
      return receipt;
    },
    onError(error) {
      throw error;
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A delivery of an engine once it is no longer pending. */
export function workedOff({ context }: Pick<TestEngine, 'context'>, id: string): Promise<Delivery> {
  return eventually(`${id} to be worked off`, () => {
    const delivery = context.store.delivery(id);
    return delivery === null || delivery.status === 'pending' ? null : delivery;
  });
}
