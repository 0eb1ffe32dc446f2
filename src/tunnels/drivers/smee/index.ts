import { fullJitter, pause } from '../../../lib/time.ts';
import { networkReason, send } from '../../http.ts';
import { PROBE_HEADER, PROBE_PATH } from '../../prober.ts';
import { RELAY_HEADER } from '../../relay.ts';
import type { SmeeSettings } from '../../settings.ts';
import { type OpenContext, type TunnelDriver, type TunnelPhase, trackState } from '../../tunnel.ts';
import {
  keepsBytes,
  type RelayEvent,
  type RelayedRequest,
  type RelayStream,
  readRelayEvent,
  subscribe,
} from './channel.ts';

const LISTENING = 'listening to the channel';
const DEFAULT_PATH = '/webhooks/github';
/** Relays send a sign of life every 30 s; two of them may be late. */
const SILENCE_MS = 65_000;
const DELIVERY_TIMEOUT_MS = 10_000;
const DELIVERY_ATTEMPTS = 5;
const DELIVERY_BACKOFF = { baseMs: 500, capMs: 5_000 };

/**
 * A relay: senders post to the channel, we listen to it and post to the ingress. Requests are handed over one by one,
 * and the stream is read on only when the ingress has taken the last one, so that a position is never ahead of it.
 */
export const smee: TunnelDriver<SmeeSettings> = {
  name: 'smee',
  summary: 'smee.io or a gosmee server: stable URL, no account; smee.io changes bodies, gosmee does not',
  silenceMs: SILENCE_MS,
  async open(context) {
    const { state, enter } = trackState(context);
    const { url, path = DEFAULT_PATH } = context.settings;
    const stream = await subscribe(context);
    enter('up', LISTENING);
    const listening = listen(context, stream, enter);
    return {
      url: url.replace(/\/+$/, ''),
      stable: true,
      byteExact: keepsBytes(stream.first),
      canRespond: false,
      leadsTo: path,
      expiresAt: null,
      state,
      async close() {
        enter('down', 'closed');
        await stream.close();
        await listening;
      },
    };
  },
};

type Enter = (phase: TunnelPhase, reason: string) => void;

async function listen(context: OpenContext<SmeeSettings>, stream: RelayStream, enter: Enter): Promise<void> {
  try {
    for await (const event of stream.events) {
      const read = readRelayEvent(event);
      if (read.kind !== 'control') {
        const trouble = await take(context, read);
        // Closed before the ingress took it: the next connection asks for it again.
        if (trouble !== null && context.signal.aborted) break;
        enter(trouble === null ? 'up' : 'degraded', trouble ?? LISTENING);
      }
      if (event.id !== '') context.report({ kind: 'position', id: event.id });
    }
    enter('down', 'the relay closed the stream');
  } catch (error) {
    enter('down', `the stream of the relay broke: ${networkReason(error)}`);
  } finally {
    await stream.close();
  }
}

/** Does what an event asks for. Null, or what the user should know. */
async function take(
  context: OpenContext<SmeeSettings>,
  event: Exclude<RelayEvent, { readonly kind: 'control' }>,
): Promise<string | null> {
  switch (event.kind) {
    case 'gap':
      return event.detail;
    case 'unreadable':
      return `cannot read what the relay sends: ${event.detail}`;
    case 'request':
      return deliver(context, event.request);
    default:
      return event satisfies never;
  }
}

/** Hands a request to the ingress; null when it was answered, else why it is lost. */
async function deliver(context: OpenContext<SmeeSettings>, request: RelayedRequest): Promise<string | null> {
  const { clock, signal, settings, ingressPort, relayKey } = context;
  const mark = request.byteExact ? {} : { [RELAY_HEADER]: relayKey, 'content-type': 'application/json' };
  const headers = { ...request.headers, ...mark };
  const path = PROBE_HEADER in headers ? PROBE_PATH : (settings.path ?? DEFAULT_PATH) + request.query;
  let trouble = '';
  for (let attempt = 0; attempt < DELIVERY_ATTEMPTS; attempt += 1) {
    try {
      // Not ended by our signal: an ingress that already reads the request shall finish.
      const url = `http://127.0.0.1:${ingressPort}${path}`;
      const { body } = request;
      const { status } = await send(url, { method: 'POST', headers, body, timeoutMs: DELIVERY_TIMEOUT_MS });
      if (status < 500 && status !== 429) return null;
      trouble = `it answered ${status}`;
    } catch (error) {
      trouble = networkReason(error);
    }
    context.report({ kind: 'alive' });
    const waitMs = fullJitter(attempt, { ...DELIVERY_BACKOFF, random: clock.random });
    if (!(await pause(clock.scaled(waitMs), signal))) break;
  }
  return `the ingress did not take a request of the relay: ${trouble}; redeliver it at the sender`;
}
