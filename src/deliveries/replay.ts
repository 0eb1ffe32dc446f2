import { failure, HookctlError, notFound, usageError } from '../errors.ts';
import type { NewDelivery, StoreReader } from '../store/store.ts';
import type { Delivery, Parsed, Provider, RawRequest, Trust, Webhook } from '../types.ts';
import { type DispatchResult, findWebhook, type PipelineContext } from './context.ts';
import type { Queue } from './queue.ts';
import { asStored, toDelivery } from './receive.ts';
import { readRequest } from './rules/read-request.ts';
import type { ParsedDelivery } from './settle.ts';

/** Stored bytes that are to run again: a delivery's, or those of a file that a person names. */
export interface ReplaySource {
  /** The delivery whose bytes they are; null for a file. */
  readonly deliveryId: string | null;
  readonly webhookName: string;
  /** Of a dynamic webhook, which may have another name by now. */
  readonly webhookId?: string | null;
  readonly request: RawRequest;
  readonly trust: Trust;
  /** Whose the delivery is that is replayed; left out: the webhook's. */
  readonly owner?: string;
  /** Of a sample; left out: no. */
  readonly sample?: boolean;
}

/** The source of a stored delivery. Throws `not_found`, or `no_bytes` when nothing of it was kept. */
export function storedSource(
  store: Pick<StoreReader, 'delivery' | 'body'>,
  id: string,
  where: string,
): ReplaySource {
  const delivery = deliveryNamed(store, id, where);
  const original =
    delivery.duplicateOf === null ? delivery : (store.delivery(delivery.duplicateOf) ?? delivery);
  const body = store.body(original.id);
  if (body === null) {
    const why =
      original.bodyRemovedAt === null
        ? `of a ${delivery.status} delivery no bytes are kept`
        : `retention removed its bytes on ${new Date(original.bodyRemovedAt).toISOString().slice(0, 10)}`;
    throw failure('no_bytes', `${id} can't be replayed: ${why}`, {
      fix: 'Have the sender deliver it again.',
    });
  }
  return {
    deliveryId: original.id,
    webhookName: original.webhook,
    webhookId: original.webhookId,
    owner: original.owner,
    request: { headers: original.headers, query: original.query, body },
    trust: original.trust ?? 'operator',
    sample: original.isSample,
  };
}

function deliveryNamed(store: Pick<StoreReader, 'delivery'>, id: string, where: string): Delivery {
  const delivery = store.delivery(id);
  if (delivery !== null) return delivery;
  throw notFound(`there is no delivery ${id} in ${where}`, 'List them with `hookctl delivery list`.');
}

/** What was fetched from the sender's log waits for a person's word, and a replay is that. */
export function trustOfReplay(trust: Trust): Trust {
  return trust === 'fetched' ? 'operator' : trust;
}

/** The webhook that a source belongs to. Throws `not_found`. */
export function webhookOf(
  { snapshot }: Pick<PipelineContext, 'snapshot'>,
  { webhookName, webhookId = null }: Pick<ReplaySource, 'webhookName' | 'webhookId'>,
): Webhook {
  const webhook = findWebhook(snapshot(), { webhook: webhookName, webhookId });
  if (webhook !== null) return webhook;
  const known = [...snapshot().byName.keys()].join(', ');
  throw notFound(`there is no webhook ${webhookName}`, `Known webhooks: ${known}.`);
}

/** A source as today's code and configuration read it. */
interface ReadSource {
  readonly webhook: Webhook;
  readonly provider: Provider;
  readonly parsed: Extract<Parsed, { ok: true }>;
}

/**
 * Parses a source; `name` is what messages call it. Throws `not_replayable` for a delivery that does not parse and
 * `usage` for a file: a file is what the user typed, a delivery is as it came.
 */
export async function readSource(
  context: Pick<PipelineContext, 'snapshot'>,
  source: ReplaySource,
  name: string,
): Promise<ReadSource> {
  const webhook = webhookOf(context, source);
  const { provider } = webhook;
  const parsed = await readRequest(webhook, source.request);
  if (parsed.ok) return { webhook, provider, parsed };
  const message = `${name} can't be replayed: ${parsed.reason}`;
  if (source.deliveryId === null) throw usageError(message);
  throw failure('not_replayable', message, { fix: `See what came: hookctl delivery show ${name} --body` });
}

/** A stored delivery, as it enters the queue. */
interface StoredReplay extends Pick<NewDelivery, 'id' | 'externalId'> {
  /** Kept so that it is not parsed again. */
  readonly parsedDelivery?: ParsedDelivery;
  /** The outcome, when it was recorded at once: it enters no queue. */
  readonly result?: DispatchResult;
}

/**
 * Stores a new delivery from stored bytes: parsed with today's code and configuration, never a duplicate, and silent
 * towards the outside unless `replies` is given. It is not queued yet. Throws as `readSource` when the bytes do not
 * parse.
 */
async function storeReplay(
  context: PipelineContext,
  source: ReplaySource,
  replies: boolean,
): Promise<StoredReplay> {
  const { webhook, provider, parsed } = await readSource(context, source, source.deliveryId ?? 'the body');
  const { request, deliveryId: replayOf, sample = false, owner = webhook.owner } = source;
  const trust = trustOfReplay(source.trust);
  const delivery: NewDelivery = {
    ...toDelivery({ context, webhook, provider, request, parsed, trust, seal: null, sample }),
    owner,
    dedupeKeys: [],
    replayOf,
    replies,
  };
  await context.store.accept(delivery);
  const { id, externalId, status } = delivery;
  const stored = asStored(delivery);
  return {
    id,
    externalId,
    parsedDelivery: { delivery: stored, webhook, parsed },
    ...(status === 'ignored' && { result: { delivery: stored, tasks: [], quiet: true } }),
  };
}

/** Stores the replay and works it off. Resolves when its outcome is recorded. */
export async function replay(
  context: PipelineContext,
  queue: Queue,
  source: ReplaySource,
  replies: boolean,
): Promise<DispatchResult> {
  return untilDispatched(queue, await storeReplay(context, source, replies));
}

/** The same record again: a failed or ignored delivery is taken up anew. Throws `not_found` or `not_retryable`. */
export async function retry(
  context: PipelineContext,
  queue: Queue,
  id: string,
  where: string,
): Promise<DispatchResult> {
  const delivery = deliveryNamed(context.store, id, where);
  if (!(await context.store.requeue(id))) {
    const why = whyNotAgain(delivery);
    throw failure('not_retryable', `${id} ${why}; only a failed or ignored delivery can be retried`, {
      fix: insteadOfRetry(delivery),
    });
  }
  return untilDispatched(queue, delivery);
}

function whyNotAgain({ status, bodyRemovedAt }: Delivery): string {
  if (status !== 'failed' && status !== 'ignored') return `is ${status}`;
  return bodyRemovedAt === null ? 'was delivered again since' : 'lost its bytes to retention';
}

/** What to do instead with a delivery that can't be retried. */
function insteadOfRetry({ id, status }: Delivery): string {
  switch (status) {
    case 'rejected':
      return 'Nothing of it was kept: have the sender deliver it again.';
    case 'unparsed':
      return `See what came: hookctl delivery show ${id} --body`;
    default:
      return `To run it as a new delivery: hookctl replay ${id}`;
  }
}

/** Queues a stored delivery and resolves when its outcome is recorded. Throws `stopped` when hookctl ends before. */
async function untilDispatched(
  queue: Queue,
  { id, externalId, parsedDelivery, result }: StoredReplay,
): Promise<DispatchResult> {
  if (result !== undefined) {
    queue.passBy(result);
    return result;
  }
  const dispatched = await queue.push({ id, externalId, attempts: 0, nextAttemptAt: null }, parsedDelivery);
  if (dispatched !== null) return dispatched;
  throw failure('stopped', `hookctl stopped before ${id} was worked off`, {
    fix: 'It is stored and runs at the next start.',
  });
}

/** The result of one replay of many. */
export type Replayed =
  | { readonly source: string; readonly result: DispatchResult }
  /** It was not replayed: no bytes are kept, they do not parse, its webhook is gone. */
  | { readonly source: string; readonly refused: string };

/** Deliveries that are read and stored at once: they share a commit, and requests are answered in between. */
const AT_ONCE = 16;

/**
 * Replays stored deliveries as one batch: all are stored, in this order, then worked off like those that came in.
 * Resolves when the last outcome is recorded. One that can't be replayed stops no other.
 */
export async function replayMany(
  context: PipelineContext,
  queue: Queue,
  ids: readonly string[],
  { replies, where }: { readonly replies: boolean; readonly where: string },
): Promise<readonly Replayed[]> {
  const results: Promise<Replayed>[] = [];
  let next = 0;

  async function lane(): Promise<void> {
    for (;;) {
      const index = next++;
      const source = ids[index];
      if (source === undefined) return;
      const stored = await store(source).catch((error: unknown) => refusal(source, error));
      // Not waited for here: what is stored need not be worked off for the next to be stored.
      results[index] = 'refused' in stored ? Promise.resolve(stored) : finish(source, stored);
    }
  }

  async function store(id: string) {
    return storeReplay(context, storedSource(context.store, id, where), replies);
  }

  async function finish(source: string, stored: Awaited<ReturnType<typeof store>>): Promise<Replayed> {
    try {
      return { source, result: await untilDispatched(queue, stored) };
    } catch (error) {
      return refusal(source, error);
    }
  }

  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return Promise.all(results);
}

function refusal(source: string, error: unknown): Replayed & { readonly refused: string } {
  if (error instanceof HookctlError) return { source, refused: error.message };
  throw error;
}
