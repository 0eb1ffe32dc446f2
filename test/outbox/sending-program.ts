/** A program for the kill test: records one comment, says so, and sends it if it is asked to. */
import { writeSync } from 'node:fs';
import { secret } from '../../src/lib/redact/redact.ts';
import { createTransport } from '../../src/outbox/transport.ts';
import { createOutbox } from '../../src/outbox/worker.ts';
import { openStore } from '../../src/store/local/index.ts';
import { newDelivery, outcome } from '../store/records.ts';
import { providerNamed } from '../support/providers.ts';

const [path = '', baseUrl = '', provider = '', outgoing = '', sends = ''] = process.argv.slice(2);
const store = await openStore({ path });
const id = `dlv-${provider}`;
await store.accept(newDelivery(id, { provider }));
await store.recordOutcome(outcome(id, { outgoing: [JSON.parse(outgoing)] }));
writeSync(1, 'settled\n');
const token = secret('token');
const outbox = createOutbox({
  store,
  now: Date.now,
  random: Math.random,
  userAgent: 'hookctl/test',
  redact: (text) => text,
  transport: createTransport(),
  channelOf: async (name) => providerNamed(name)?.reply ?? null,
  accountOf: () => ({ provider, baseUrl, token, user: null, privateNetwork: false }),
  onSettled: () => writeSync(1, 'sent\n'),
});
if (sends === 'send') outbox.wake();
setInterval(() => undefined, 60_000);
