import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { verify } from '../../../src/deliveries/verify.ts';
import { createIngress } from '../../../src/server/ingress/ingress.ts';
import type { Watched } from './live-support.ts';

/** An ingress that verifies and answers 202 or 401, without a store behind it. Returns its URL. */
export async function ingressFor(live: Watched): Promise<string> {
  const context = { clock: { now: () => Date.now() }, insecure: new Set<string>(), relayKey: 'none' };
  const server = createIngress({
    snapshot: live.current,
    acceptProbe: () => false,
    async receive(webhook, request) {
      const { ok } = await verify(context, webhook, request);
      return { deliveryId: 'dlv-1', ack: { status: ok ? 202 : 401, headers: {}, body: '' } } as never;
    },
    onError: (error) => {
      throw error;
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
