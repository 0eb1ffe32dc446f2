import { isSecretHeader } from '../lib/http/headers.ts';
import type { NewDelivery } from '../store/store.ts';
import { RELAY_HEADER } from '../tunnels/relay.ts';
import {
  type Ack,
  allCommands,
  type Delivery,
  type DeliveryStatus,
  type Headers,
  OWN_HEADERS,
  type Parsed,
  type Provider,
  type RawRequest,
  type RequestHead,
  type Trust,
  type Webhook,
} from '../types.ts';
import { type DispatchResult, type PipelineContext, webhookIdOf } from './context.ts';
import { dedupeKeys } from './dedupe-keys.ts';
import { nothingToDo } from './match.ts';
import { ownAnswer } from './own-answer.ts';
import { withOwnActs } from './rules/own-app.ts';
import { readRequest } from './rules/read-request.ts';
import { isByPerson } from './rules/senders.ts';
import type { ParsedDelivery } from './settle.ts';
import { isSample, SAMPLE_HEADER, verify } from './verify.ts';

/** A received request: what was recorded, and the answer to send. */
export interface Receipt {
  readonly deliveryId: string;
  readonly webhook: Webhook;
  /** `limited`: it was verified, but its webhook received too many; nothing of it is stored. */
  readonly status: Exclude<DeliveryStatus, 'processed' | 'failed'> | 'limited';
  /** False when it has no row, because refusals come too often. */
  readonly recorded: boolean;
  readonly reason: string | null;
  /** Why the signature of a refused request did not fit, for the operator alone. Null when nothing is known. */
  readonly hint: string | null;
  readonly eventType: string | null;
  readonly externalId: string | null;
  readonly senderName: string | null;
  readonly size: number;
  readonly ack: Ack;
  /** Of an accepted delivery. */
  readonly parsedDelivery?: ParsedDelivery;
  /** The outcome, when it was recorded at accept. */
  readonly result: DispatchResult | null;
}

/** How hookctl itself got a request: read from the sender's log, or through a connection that its own token opened. */
export type Obtained = Extract<Trust, 'fetched' | 'socket'>;

/**
 * Steps 1–5: verifies the raw bytes, parses and stores them, and only then acknowledges: a 2xx means that the delivery is
 * on disk. Of a request to a disabled webhook only the refusal is recorded. `obtained`: hookctl got it itself, so that no signature
 * is looked for. Throws when the store can't write; the caller answers 503.
 */
export async function receive(
  context: PipelineContext,
  webhook: Webhook,
  incoming: RawRequest,
  obtained: Obtained | null = null,
): Promise<Receipt> {
  if (!webhook.enabled) {
    const ack = jsonAck(403, { error: 'webhook_disabled' });
    return reject(context, webhook, incoming, { detail: 'the webhook is disabled', ack });
  }
  const { provider } = webhook;
  const verifying =
    obtained === null
      ? verify(context, webhook, incoming)
      : ({ ok: true, trust: obtained, seal: null } as const);
  const verification = verifying instanceof Promise ? await verifying : verifying;
  if (!verification.ok) {
    const { cause, detail } = verification.verdict;
    if (cause === 'key_pending') return reject(context, webhook, incoming, { detail, ack: KEY_PENDING });
    // One answer for every other cause: only the operator is told which check failed.
    const findHint = () => context.hints.of(webhook, incoming);
    return reject(context, webhook, incoming, { detail, ack: jsonAck(401, {}), findHint });
  }
  const request = provider.withoutSecrets?.(incoming) ?? incoming;

  // What hookctl fetches comes as fast as hookctl asks.
  const wait = obtained === 'fetched' ? null : context.limits.waitFor(webhook);
  if (wait !== null) return limited(context, webhook, request, wait);

  const reading = readRequest(webhook, request);
  const said = reading instanceof Promise ? await reading : reading;
  const parsed = withOwnActs(context.apps, webhook, said);
  const sample = isSample(request, context.relayKey);
  const { trust, seal } = verification;
  const delivery = toDelivery({ context, webhook, provider, request, parsed, sample, trust, seal });
  const { status, duplicateOf } = await context.store.accept(delivery);
  const { eventType, externalId, senderName } = delivery;
  const stored = asStored(delivery);
  const own = provider.answer === undefined ? null : await ownAnswer(provider.answer, parsed, trust);
  return {
    ...receiptFor(webhook, request, delivery.id),
    status,
    recorded: true,
    eventType,
    externalId,
    senderName,
    reason: duplicateOf === null ? delivery.reason : `the same as ${duplicateOf}`,
    ack: provider.acknowledge?.(request, parsed) ?? own ?? answer(delivery, duplicateOf),
    parsedDelivery: { delivery: stored, webhook, parsed },
    result: status === 'ignored' ? { delivery: stored, tasks: [], quiet: true } : null,
  };
}

interface Refusal {
  readonly detail: string;
  readonly ack: Ack;
  /** Called only when the refusal is recorded: a hint costs time. */
  readonly findHint?: () => string | null;
}

/** Records that a request was refused, unless refusals come too often. */
async function reject(
  { store, ids, clock, limits }: PipelineContext,
  webhook: Webhook,
  request: RawRequest,
  { detail, ack, findHint }: Refusal,
): Promise<Receipt> {
  const { provider } = webhook;
  const id = ids.next('dlv');
  const recorded = limits.mayRecordRefusal();
  const hint = (recorded ? findHint?.() : null) ?? null;
  const reason = hint === null ? detail : `${detail}; ${hint}`;
  const eventType = provider.eventName(request.headers);
  if (recorded) {
    await store.reject({
      ...{ id, reason, eventType },
      webhook: webhook.name,
      webhookId: webhookIdOf(webhook),
      owner: webhook.owner,
      provider: provider.name,
      senderDeliveryId: provider.deliveryId(request.headers),
      size: request.body.byteLength,
      receivedAt: clock.now(),
    });
  }
  return { ...receiptFor(webhook, request, id), status: 'rejected', recorded, reason, hint, eventType, ack };
}

/** Senders that try again understand 429 (Jira, PagerDuty, Slack, Standard Webhooks). */
function limited(
  { ids }: PipelineContext,
  webhook: Webhook,
  request: RawRequest,
  { seconds, setting }: NonNullable<ReturnType<PipelineContext['limits']['waitFor']>>,
): Receipt {
  const { status, headers, body } = jsonAck(429, { error: 'too_many_requests' });
  return {
    ...receiptFor(webhook, request, ids.next('dlv')),
    status: 'limited',
    reason: `more deliveries than ${setting} allows`,
    ack: { status, headers: { ...headers, 'retry-after': String(seconds) }, body },
  };
}

/** What is the same in every receipt, unless more is known. */
function receiptFor(webhook: Webhook, request: RawRequest, deliveryId: string) {
  return {
    deliveryId,
    webhook,
    size: request.body.byteLength,
    recorded: false,
    hint: null,
    eventType: null,
    externalId: null,
    senderName: null,
    result: null,
  };
}

function answer({ id, status, reason }: NewDelivery, duplicateOf: string | null): Ack {
  if (duplicateOf !== null) return jsonAck(200, { id, duplicate_of: duplicateOf });
  return status === 'unparsed' ? jsonAck(400, { error: 'unparsed', reason, id }) : jsonAck(202, { id });
}

/** The sender tries again, and by then its key has come. */
const KEY_PENDING: Ack = {
  status: 503,
  headers: { 'content-type': 'application/json', 'retry-after': '5' },
  body: '{"error":"key_pending"}',
};

/** An answer in JSON. */
function jsonAck(status: number, body: object): Ack {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

interface Incoming {
  readonly context: Pick<PipelineContext, 'clock' | 'ids'>;
  readonly webhook: Webhook;
  readonly provider: Provider;
  readonly request: RawRequest;
  readonly parsed: Parsed;
  readonly trust: Trust;
  /** See `Verdict`. */
  readonly seal: string | null;
  /** `hookctl trigger` made it. */
  readonly sample: boolean;
}

/** The row of a request that may enter. */
export function toDelivery(incoming: Incoming): NewDelivery {
  const { context, webhook, provider, request, parsed, trust, seal, sample } = incoming;
  const senderDeliveryId = provider.deliveryId(request.headers);
  const first = parsed.ok ? parsed.events[0] : undefined;
  const receivedAt = context.clock.now();
  const own = ownHeaders(request, webhook);
  const kept = storable(request.headers, provider.secretHeaders);
  const headers = own === null ? kept : { ...kept, ...own };
  // Conditions see what is stored, so that they decide alike when it is worked off and replayed.
  const head = { headers, query: request.query };
  const { status, reason, settledAt, decisions } = stateOf(webhook, parsed, trust, head, receivedAt);
  return {
    id: context.ids.next('dlv'),
    webhook: webhook.name,
    webhookId: webhookIdOf(webhook),
    owner: webhook.owner,
    provider: provider.name,
    trust,
    status,
    reason,
    settledAt,
    decisions,
    senderDeliveryId,
    dedupeKeys: parsed.ok
      ? claimed(webhook, {
          provider: provider.name,
          owner: webhook.owner,
          webhook: webhookIdOf(webhook) ?? webhook.name,
          trust,
          seal,
          hasOneSecret: webhook.secrets.length === 1,
          senderDeliveryId,
          parsed,
          receivedAt,
        })
      : [],
    eventType: first?.type ?? provider.eventName(request.headers),
    externalId: first?.externalId ?? null,
    senderName: first?.sender?.name ?? null,
    isByPerson: parsed.ok && parsed.events.length > 0 && parsed.events.every(isByPerson),
    isSample: sample,
    ...head,
    body: request.body,
    receivedAt,
    replayOf: null,
    replies: request.headers[SILENT_HEADER.name] !== SILENT_HEADER.value,
  };
}

/** What a webhook in shadow takes, another may act on: it claims nothing beyond itself. */
function claimed({ mode }: Webhook, delivery: Parameters<typeof dedupeKeys>[0]): readonly string[] {
  const keys = dedupeKeys(delivery);
  return mode === 'live' ? keys : keys.filter((key) => !key.startsWith('@'));
}

function stateOf(
  webhook: Webhook,
  parsed: Parsed,
  trust: Trust,
  head: RequestHead,
  at: number,
): Pick<NewDelivery, 'status' | 'reason' | 'settledAt' | 'decisions'> {
  if (!parsed.ok) return { status: 'unparsed', reason: parsed.reason, settledAt: null, decisions: [] };
  const ignored = nothingToDo(webhook, parsed, trust, head);
  return ignored === null
    ? { status: 'pending', reason: null, settledAt: null, decisions: [] }
    : { status: 'ignored', settledAt: at, ...ignored };
}

/** The row of a delivery that was stored just now. */
export function asStored({ dedupeKeys: _, isByPerson: __, body, ...delivery }: NewDelivery): Delivery {
  return {
    ...delivery,
    size: body.byteLength,
    duplicateOf: null,
    attempts: 0,
    nextAttemptAt: null,
    variant: null,
    bodyRemovedAt: null,
  };
}

/**
 * `hookctl trigger` sends it, so that nothing is posted for the request. It is no secret: a sender of a signed request who
 * can add it could also send no request.
 */
export const SILENT_HEADER = { name: 'x-hookctl-replies', value: 'off' } as const;

const OWN_PROOFS: readonly string[] = [RELAY_HEADER, SAMPLE_HEADER];

/** What conditions may ask for and no header says: `OWN_HEADERS`. Most deliveries are a POST of which nothing asks for the address. */
function ownHeaders({ method = 'POST', client }: RawRequest, webhook: Webhook): Headers | null {
  const isOther = method !== 'POST';
  const address = client !== undefined && asksForClient(webhook) ? client() : null;
  if (!isOther && address === null) return null;
  return {
    ...(isOther && { [OWN_HEADERS.method]: method }),
    ...(address !== null && { [OWN_HEADERS.client]: address }),
  };
}

const asking = new WeakMap<Webhook, boolean>();

/** Looked up once for each webhook. */
function asksForClient(webhook: Webhook): boolean {
  const known = asking.get(webhook);
  if (known !== undefined) return known;
  const asks = allCommands(webhook).some(
    (command) =>
      command.kind === 'trigger' && JSON.stringify(command.conditions.source).includes('request:client'),
  );
  asking.set(webhook, asks);
  return asks;
}

/** Headers that are secrets themselves are not kept; signatures are, or a re-sent delivery could not be verified. */
function storable(headers: Headers, secretHeaders: readonly string[]): Headers {
  const isSecret = (name: string) =>
    isSecretHeader(name) || OWN_PROOFS.includes(name) || secretHeaders.includes(name);
  const names = Object.keys(headers);
  if (!names.some(isSecret)) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isSecret(name)));
}
