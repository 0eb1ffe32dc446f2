/** A program for the kill test: accepts deliveries without end and prints each id once it is acknowledged. */
import { writeSync } from 'node:fs';
import { openStore } from '../../src/store/local/index.ts';
import type { NewDelivery } from '../../src/store/store.ts';

const [path = '', prefix = ''] = process.argv.slice(2);
const store = await openStore({ path });
await Promise.all(Array.from({ length: 10 }, (_, lane) => acceptForever(lane)));

async function acceptForever(lane: number): Promise<void> {
  for (let number = 0; ; number += 1) {
    const id = `dlv-${prefix}-${lane}-${number}`;
    await store.accept(delivery(id));
    writeSync(1, `${id}\n`);
  }
}

function delivery(id: string): NewDelivery {
  return {
    id,
    webhook: 'github',
    webhookId: null,
    owner: 'operator',
    provider: 'github',
    status: 'pending',
    trust: 'verified',
    reason: null,
    senderDeliveryId: id,
    dedupeKeys: [`id:${id}`],
    eventType: null,
    externalId: null,
    senderName: null,
    isByPerson: false,
    isSample: false,
    headers: {},
    query: '',
    body: Buffer.alloc(12_000, id),
    receivedAt: 1,
    settledAt: null,
    decisions: [],
    replayOf: null,
    replies: true,
  };
}
