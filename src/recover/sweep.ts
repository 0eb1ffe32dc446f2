import { ApiError } from '../connect/api.ts';
import type { LoggedRequest, SenderLog } from '../connect/connector.ts';
import {
  type AskContext,
  type ConnectContext,
  connectorNamed,
  marked,
  type Opened,
  openConnected,
  openSender,
  webhookOf,
} from '../connect/context.ts';
import { webhookIdOf } from '../deliveries/context.ts';
import { dedupeKeys } from '../deliveries/dedupe-keys.ts';
import type { Obtained, Receipt } from '../deliveries/receive.ts';
import { failure, HookctlError } from '../errors.ts';
import { pause } from '../lib/time.ts';
import type { Sweep } from '../store/sweeps.ts';
import type { Connection, RawRequest, Webhook } from '../types.ts';
import { type LoggedDelivery, type ReadLog, readLog } from './log.ts';
import { loadLog } from './logs/index.ts';

/** What sweeps work with. */
export interface RecoverContext {
  readonly connect: AskContext & Pick<ConnectContext, 'store' | 'snapshot' | 'publicUrlOf'>;
  /** Takes in what was read from a log. */
  readonly receive: (webhook: Webhook, request: RawRequest, obtained: Obtained) => Promise<Receipt>;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** How long what was sent again may take until it is here, in milliseconds. Default 30 s. */
  readonly arrivalMs?: number;
}

interface SweepOrder {
  /** From when on, by our clock. Null when from where the last sweep ended. */
  readonly since: number | null;
  /** Only says what is missing. */
  readonly isDryRun: boolean;
}

/** A sweep, and what it found. */
export interface SweepReport extends Sweep {
  readonly connection: Connection;
  /** It only said what is missing. */
  readonly isDryRun: boolean;
  /** What to do about the problem. */
  readonly fix: string | null;
  /** How far back the sender's log goes, where it should have been read from earlier on; else null. */
  readonly windowStart: number | null;
  /** What the sender does not tell of that time; null when it tells all. */
  readonly untold: string | null;
  /** What had not arrived. */
  readonly lost: readonly LoggedDelivery[];
  /** What was sent since when, by the sender's clock; for how many of it fell into a gap. */
  readonly deliveries: readonly LoggedDelivery[];
  /** By how much the sender's clock is before ours, in milliseconds. */
  readonly skewMs: number;
}

/** Senders list a delivery late, and each restart reads what came shortly before again. */
const OVERLAP_MS = 60 * 60_000;
/** The end of the sender's window is not touched: entries vanish while they are read. */
const WINDOW_MARGIN_MS = 2 * 60 * 60_000;
/** A row here may be older than the entry: the sender answers for it, and its clock is another. */
const ROW_MARGIN_MS = 24 * 60 * 60_000;
const ARRIVAL_MS = 30_000;
const POINT_MS = 20_000;
const LOOK_MS = 250;
/** Calls at once: GitHub bounds both how many and how fast. */
const LANES = 4;

/** Reads the log of one connection, and takes in what never arrived. What the sender refuses is in the report, not thrown. */
export async function sweepConnection(
  context: RecoverContext,
  connection: Connection,
  order: SweepOrder,
): Promise<SweepReport> {
  const { store, clock } = context.connect;
  const startedAt = clock.now();
  const last = store.sweeps().find(({ connectionId }) => connectionId === connection.id);
  const known = last?.through ?? connection.createdAt;
  let report: SweepReport = {
    ...{ connectionId: connection.id, connection, isDryRun: order.isDryRun },
    ...{ startedAt, endedAt: startedAt, since: known, through: known },
    ...{ listed: 0, missing: 0, redelivered: 0, fetched: 0, problem: null, fix: null },
    ...{ windowStart: null, untold: null, lost: [], deliveries: [], skewMs: 0 },
  };
  const note: Note = (changes) => {
    report = { ...report, ...changes };
  };
  try {
    await sweep(context, { connection, through: last?.through ?? null, startedAt, order, note });
  } catch (error) {
    if (!(error instanceof HookctlError)) throw error;
    note({ problem: error.message, fix: error.fix ?? null, through: known });
  }
  note({ endedAt: clock.now() });
  if (!order.isDryRun) await store.noteSweep(rowOf(report));
  return report;
}

/** Adds to the report, so that what was done is told also when a later step fails. */
type Note = (changes: Partial<SweepReport>) => void;

function rowOf(report: SweepReport): Sweep {
  const { connectionId, startedAt, endedAt, since, through } = report;
  const { listed, missing, redelivered, fetched, problem } = report;
  return { connectionId, startedAt, endedAt, since, through, listed, missing, redelivered, fetched, problem };
}

interface Task {
  readonly connection: Connection;
  /** Where the last sweep ended, by the sender's clock; null when this is the first one. */
  readonly through: number | null;
  readonly startedAt: number;
  readonly order: SweepOrder;
  readonly note: Note;
}

async function sweep(context: RecoverContext, task: Task): Promise<void> {
  const { connection, startedAt, order, note } = task;
  const webhook = requireWebhook(context, connection);
  const opened = await openLog(context.connect, connection);
  const source = await sourceOf(opened, connection);
  note({ untold: source.log.untold ?? null });
  const span = (senderNow: number) => spanOf(task, source.log.windowMs, senderNow);
  const read = await readLog({
    ...source,
    events: connection.events,
    now: context.connect.clock.now,
    since: (senderNow) => span(senderNow).since,
  });
  const { senderNow, since } = read;
  const deliveries = read.deliveries.filter(
    ({ newest }) => source.log.takes?.(newest, connection.events) ?? true,
  );
  const lost = await findLost(context, webhook, { ...read, deliveries });
  note({
    ...{ since, through: senderNow, windowStart: span(senderNow).windowStart, lost, deliveries },
    ...{ listed: deliveries.length, missing: lost.length, skewMs: senderNow - startedAt },
  });
  if (order.isDryRun || lost.length === 0) return;
  await takeIn({ context, webhook, connection, source }, lost, note);
}

/** From when on a log is read, by the sender's clock; and where it begins, when that is too late. */
function spanOf({ connection, through, startedAt, order }: Task, windowMs: number, senderNow: number) {
  const skew = senderNow - startedAt;
  const asked = order.since === null ? null : order.since + skew;
  const known = through ?? connection.createdAt + skew;
  const oldest = senderNow - windowMs + WINDOW_MARGIN_MS;
  return {
    since: Math.max(asked ?? known - OVERLAP_MS, oldest),
    windowStart: (asked ?? known) < oldest ? oldest : null,
  };
}

/** Real bytes where the sender sends again, else what its log says. */
async function takeIn(work: Work, lost: readonly LoggedDelivery[], note: Note): Promise<void> {
  const { here, error } = await sendAgain(work, lost);
  note({ redelivered: here.size });
  if (error !== null) throw error;
  let fetched = 0;
  for (const each of lost) {
    if (here.has(each.deliveryId)) continue;
    const problem = await fetchOne(work, each);
    if (problem === null) note({ fetched: ++fetched });
    // It is looked for again, as long as the sender has it: the oldest comes first.
    else leave(problem, each.firstAt);
  }

  let isLeft = false;
  function leave(problem: string, through: number): void {
    if (!isLeft) note({ problem, through });
    isLeft = true;
  }
}

interface Source {
  readonly api: Opened['api'];
  readonly log: SenderLog;
  readonly target: Opened['target'];
  readonly hookId: string;
}

interface Work {
  readonly context: RecoverContext;
  readonly webhook: Webhook;
  readonly connection: Connection;
  readonly source: Source;
}

function requireWebhook({ connect }: RecoverContext, connection: Connection): Webhook {
  const webhook = webhookOf(connect, connection);
  if (webhook === null) {
    throw failure('no_webhook', `there is no webhook ${connection.webhook} any more`, {
      fix: `Remove its connection: hookctl connect remove ${connection.id}`,
    });
  }
  if (webhook.enabled) return webhook;
  throw failure('webhook_disabled', `the webhook ${webhook.name} is disabled`);
}

/** The sender, with the account that may read its log. */
async function openLog(context: AskContext, connection: Connection): Promise<Opened> {
  const { kind, target: name, connector: sender } = connection;
  const connector = await connectorNamed(sender);
  return connector.logAccount === undefined
    ? openConnected(context, connection)
    : openSender(context, { ...connector, ...connector.logAccount }, { kind, name });
}

async function sourceOf(
  { api, connector, target, account }: Opened,
  { remoteId }: Connection,
): Promise<Source> {
  if (remoteId === null)
    throw failure('no_hook', 'the hook was never made', {
      fix: 'See what is missing: hookctl connect check',
    });
  const log = connector.log ?? (await loadLog(connector.name, account));
  if (log !== null) return { api, log, target, hookId: remoteId };
  throw failure(
    'no_log',
    `${connector.name} keeps no log that can be read: what it sent meanwhile is not known`,
  );
}

/** Deliveries that the sender could not deliver and that did not come here either. */
async function findLost(
  { connect: { store, clock } }: RecoverContext,
  webhook: Webhook,
  { deliveries, since, senderNow }: ReadLog,
): Promise<readonly LoggedDelivery[]> {
  const failed = deliveries.filter(({ hasArrived }) => !hasArrived);
  if (failed.length === 0) return [];
  await store.indexed();
  const from = since - (senderNow - clock.now()) - ROW_MARGIN_MS;
  const here = new Set(
    store
      .arrivals(receiver(webhook), idsOf(failed), from)
      .flatMap(({ senderDeliveryId, isRefused }) => (isRefused ? [] : [senderDeliveryId])),
  );
  const others = failed.filter(({ deliveryId }) => !here.has(deliveryId));
  if (others.length === 0) return [];
  const pending = new Set(store.pendingKeys(receiver(webhook)));
  return others.filter((each) => !isKnown({ store, webhook, pending }, each));
}

interface Known {
  readonly store: ConnectContext['store'];
  readonly webhook: Webhook;
  /** Dedupe keys of what waits to be worked off. */
  readonly pending: ReadonlySet<string>;
}

/** Whether what the log says of a delivery came here: for senders that give their deliveries no id, or none that is in the log. */
function isKnown(
  { store, webhook, pending }: Known,
  { newest: { request: told, at: receivedAt } }: LoggedDelivery,
): boolean {
  if (told == null) return false;
  const parsed = webhook.provider.parse(requestOf(told), webhook);
  const [event] = parsed.ok ? parsed.events : [];
  if (!parsed.ok || event === undefined) return false;
  const keys = dedupeKeys({
    ...{
      provider: webhook.providerName,
      owner: webhook.owner,
      webhook: webhookIdOf(webhook) ?? webhook.name,
    },
    ...{ trust: 'fetched', seal: null, hasOneSecret: true, senderDeliveryId: null, parsed, receivedAt },
  });
  const { externalId, type: eventType } = event;
  return (
    keys.some((key) => pending.has(key)) || store.isKnown(receiver(webhook), { externalId, eventType, keys })
  );
}

function receiver(webhook: Webhook) {
  return { name: webhook.name, id: webhookIdOf(webhook) };
}

function idsOf(deliveries: readonly LoggedDelivery[]): readonly string[] {
  return deliveries.map(({ deliveryId }) => deliveryId);
}

/** Which deliveries are here now, and what ended the asking before its time. */
interface SentAgain {
  readonly here: ReadonlySet<string>;
  readonly error: unknown;
}

/** Asks the sender to send again what was lost, while it would come here. */
async function sendAgain(work: Work, lost: readonly LoggedDelivery[]): Promise<SentAgain> {
  const { context, source, webhook } = work;
  const { redeliver, mostResent = Number.POSITIVE_INFINITY } = source.log;
  if (redeliver === undefined || lost.length > mostResent || !(await untilPointedHere(work)))
    return { here: new Set(), error: null };
  const present = context.connect.store.connection(work.connection.id)?.url;
  const startedAt = context.connect.clock.now();
  const asked: LoggedDelivery[] = [];
  const sentHere = lost.filter(({ newest: { url } }) => url == null || url === present);
  const error = await inLanes(sentHere, async (each) => {
    try {
      await source.api.call(redeliver(source.target, source.hookId, each.newest.id));
      asked.push(each);
    } catch (error) {
      // Refused: it is read from the log. Anything else is true of the others, too.
      if (!(error instanceof ApiError) || error.kind !== 'refused') throw error;
    }
  });
  return { here: await untilArrived(context, webhook, idsOf(asked), startedAt), error };
}

/** Whether the hook sends to this server; a tunnel that has a new URL is given time until the hook follows. */
async function untilPointedHere({ context, connection, webhook }: Work): Promise<boolean> {
  const { store, clock, publicUrlOf } = context.connect;
  const until = clock.now() + POINT_MS;
  for (;;) {
    const here = publicUrlOf(webhook.endpoint);
    const present = store.connection(connection.id);
    if (here === null || present === null || present.isPaused) return false;
    if (present.url === marked(here, store.installationId())) return true;
    if (clock.now() >= until || !(await pause(LOOK_MS, context.signal))) return false;
  }
}

/** Waits until these ids are here, refused by their signature, or late. Returns those that are here. */
async function untilArrived(
  { connect: { store, clock }, signal, arrivalMs = ARRIVAL_MS }: RecoverContext,
  webhook: Webhook,
  ids: readonly string[],
  since: number,
): Promise<ReadonlySet<string>> {
  const until = clock.now() + arrivalMs;
  for (;;) {
    await store.indexed();
    const known = store.arrivals(receiver(webhook), ids, since);
    const isOver = known.length === ids.length || clock.now() >= until;
    if (isOver || !(await pause(LOOK_MS, signal)))
      return new Set(known.filter(({ isRefused }) => !isRefused).map((each) => each.senderDeliveryId));
  }
}

/** Takes a delivery in from the log. Null when it is here; else why it is not. */
async function fetchOne(work: Work, { deliveryId, newest }: LoggedDelivery): Promise<string | null> {
  const { context, webhook, source } = work;
  const told = newest.request ?? (await payloadOf(source, newest.id));
  if (told === null) return `${deliveryId}: the log keeps no payload of it`;
  const request = requestOf(told);
  const id = webhook.provider.deliveryId(request.headers);
  if (id !== null && id !== deliveryId) return `${deliveryId}: what the log says of it has another id`;
  const { status, reason } = await context.receive(webhook, request, 'fetched');
  return status === 'rejected' || status === 'limited' ? `${deliveryId}: ${reason}` : null;
}

async function payloadOf({ api, log, target, hookId }: Source, attemptId: string) {
  if (log.payload === undefined || log.readPayload === undefined) return null;
  try {
    return log.readPayload(await api.call(log.payload(target, hookId, attemptId)));
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'refused') return null;
    throw error;
  }
}

/** Headers of a body that the sender sent; this one is written anew. */
const OF_THE_BODY = /^(?:content-length|content-encoding|transfer-encoding|x-hub-signature(?:-256)?)$/;

function requestOf({ headers, payload }: LoggedRequest): RawRequest {
  const kept = Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !OF_THE_BODY.test(name));
  return {
    headers: { ...Object.fromEntries(kept), 'content-type': 'application/json' },
    query: '',
    body: Buffer.from(JSON.stringify(payload)),
  };
}

/** Works on several at once. Begins nothing more after one has failed, and returns what it threw; else null. */
async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<unknown> {
  let next = 0;
  let failed: unknown = null;
  async function lane(): Promise<void> {
    for (let item = items[next++]; item !== undefined && failed === null; item = items[next++]) {
      await work(item).catch((error: unknown) => {
        failed = error;
      });
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane));
  return failed;
}
