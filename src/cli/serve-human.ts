import { messageOf } from '../errors.ts';
import { type Io, paint, type Style, say } from '../lib/io.ts';
import { shorten, visibleLine } from '../lib/visible.ts';
import type { Settled } from '../pipeline/context.ts';
import type { Receipt } from '../pipeline/receive.ts';
import { providerNamed } from '../providers/index.ts';
import type { Serving } from '../server/serve.ts';
import { bytes, localTime } from './print.ts';
import { announce, announceUrls } from './serve-announce.ts';
import type { ServeOutput } from './serve-output.ts';
import { tunnelLine } from './tunnel/line.ts';

/** Longest reason on one line. */
const REASON_LENGTH = 160;

/** Lines for people on stderr, two for each delivery: what came in, what became of it, the id last. */
export function humanOutput({ err }: Io): ServeOutput {
  const line = (text: string) =>
    say(err, `${paint(err, 'dim', localTime(new Date().toISOString()).slice(11))}  ${text}`);
  const became = (style: Style, text: string, id: string) =>
    line(`${paint(err, style, `<-- ${shorten(visibleLine(text), REASON_LENGTH)}`)}  [${id}]`);

  const print = (text: string) => say(err, text);
  let serving: Serving | null = null;

  return {
    ready(started) {
      serving = started;
      announce(started, print);
    },
    received(receipt) {
      line(`--> ${visibleLine(whatCame(receipt))}  [${receipt.deliveryId}]`);
      if (receipt.status === 'rejected')
        became('red', `rejected: ${receipt.reason}. ${fixFor(receipt)}`, receipt.deliveryId);
      if (receipt.status === 'unparsed') became('red', `unparsed: ${receipt.reason}`, receipt.deliveryId);
      if (receipt.status === 'duplicate')
        became('yellow', `duplicate: ${receipt.reason}`, receipt.deliveryId);
    },
    settled(settled) {
      const { delivery } = settled;
      became(
        delivery.status === 'failed' ? 'red' : delivery.status === 'processed' ? 'green' : 'yellow',
        outcome(settled),
        delivery.id,
      );
    },
    tunnel(status) {
      const style = status.previousUrl !== null ? 'bold' : status.phase === 'up' ? 'green' : 'yellow';
      line(paint(err, style, tunnelLine(status)));
      if (serving !== null && status.phase === 'up') announceUrls(serving, print);
    },
    broken: (error) => line(paint(err, 'red', `answered 503: ${visibleLine(messageOf(error))}`)),
    state: (state, reason) => line(`${state}: ${reason}`),
  };
}

function whatCame({ eventType, senderName, externalId, webhook, size }: Receipt): string {
  return [eventType ?? 'request', senderName, externalId ?? webhook.name, bytes(size)]
    .filter((part) => part !== null)
    .join('  ');
}

function outcome({ delivery, tasks }: Settled): string {
  if (delivery.eventType === 'ping')
    return `${providerNamed(delivery.provider)?.label ?? delivery.provider} reaches you`;
  const made = tasks.map(({ id, command, agent, status, unsynced }) => {
    const held = status === 'waiting_approval' ? ', waits for approval' : '';
    return `${command} → ${id} (${agent}${held})${unsynced === null ? '' : `; files not written: ${unsynced}`}`;
  });
  return `${delivery.status}: ${made.length > 0 ? made.join(', ') : delivery.reason}`;
}

function fixFor({ webhook }: Receipt): string {
  return webhook.secrets.length === 0
    ? `Set a secret: ${webhook.secretSource}`
    : `Compare the secrets: hookctl webhook show ${webhook.name} --show-secret`;
}
