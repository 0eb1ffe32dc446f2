import { failure } from '../errors.ts';
import { secret as asSecret } from '../lib/redact/redact.ts';
import type { Connection, Webhook } from '../types.ts';
import { ApiError, type ApiRequest } from './api.ts';
import type { Connector, CreatedHook, HookSettings, Target } from './connector.ts';
import {
  type ConnectContext,
  connectorNamed,
  fingerprintOf,
  markerIn,
  nameOfConnection,
  type Opened,
  openConnected,
  openSender,
} from './context.ts';
import {
  type ConnectOrder,
  type ConnectOutcome,
  hooksOf,
  ownHooks,
  type Plan,
  pathOf,
  planOf,
  receiverOf,
  settingsFor,
} from './plan.ts';

interface Connected {
  /** Null of a dry run. */
  readonly connection: Connection | null;
  readonly outcome: ConnectOutcome;
  /** What was, or would be, sent: `POST https://… {…}`, without secrets. */
  readonly calls: readonly string[];
  /** What a person should know, in words. */
  readonly notes: readonly string[];
  /** A secret that the sender made and only a person can save. */
  readonly secretToSave: string | null;
}

/** Makes a hook, or takes the one that is there. Throws `HookctlError` that says what is missing. */
export async function connect(context: ConnectContext, order: ConnectOrder): Promise<Connected> {
  const connector = await connectorNamed(order.connector);
  const target = connector.target(order.target, order);
  return connectTo(context, connector, target, { ...order, webhook: receiverOf(context, order) });
}

interface ConnectSpec extends Pick<ConnectOrder, 'adopt' | 'isDryRun'> {
  readonly webhook: Webhook;
}

/** The same for a target that was read. */
export async function connectTo(
  context: ConnectContext,
  connector: Connector,
  target: Target,
  { webhook, adopt, isDryRun }: ConnectSpec,
): Promise<Connected> {
  const hook = settingsFor(context, webhook, connector);
  const opened = await openSender(context, connector, target);
  const hooks = await hooksOf(context, opened, adopt);
  const plan = planOf(context, { opened, hooks, webhook, hook, adopt });
  const calls = [...listCalls(opened), ...plan.requests].map((request) => shownCall(opened, request, hook));
  const result = { outcome: plan.outcome, calls, notes: plan.notes };
  if (isDryRun) return { ...result, connection: null, secretToSave: null };
  const { notes, ...done } = await carryOut(context, { opened, webhook, hook, plan });
  return { ...result, ...done, notes: [...plan.notes, ...notes] };
}

interface Work {
  readonly opened: Opened;
  readonly webhook: Webhook;
  readonly hook: HookSettings;
  readonly plan: Plan;
}

/** Sends it, with a record before the first call and after the last one. */
async function carryOut(context: ConnectContext, work: Work) {
  const { opened, webhook, hook, plan } = work;
  const { connector, target, api } = opened;
  const { store, clock } = context;
  if (plan.remote === null && connector.validate !== undefined)
    await api.call(connector.validate(target, hook));
  const connection = plan.record ?? newRecord(context, work);
  if (plan.record === null) await store.addConnection(connection);
  let created: CreatedHook | null = null;
  let id = plan.remote?.id ?? null;
  try {
    if (plan.remote === null) created = await create(context, work);
    else if (plan.outcome !== 'kept') {
      const answer = await api.call(connector.update(target, plan.remote.id, hook, plan.remote));
      id = connector.readUpdated?.(answer) ?? id;
    }
    for (const { id } of plan.surplus) await removeHook(context, opened, id);
  } catch (error) {
    // Certainly not made: nothing is left to be looked for.
    const isSure = error instanceof ApiError && error.kind !== 'uncertain' && plan.remote === null;
    if (plan.record === null && isSure) {
      await removeParts(context, work);
      await store.forgetConnection(connection.id);
    }
    throw error;
  }
  // Before the record: a hook whose secret is lost is of no use, and is replaced.
  const made = created?.secret ?? null;
  const isSaved = made === null || (await context.saveSecret(webhook, asSecret(made)));
  const isAsked = connector.isUrlAsked === true && created !== null;
  if (isAsked && isSaved) {
    // On record first: its id is told this once.
    await store.changeConnection(connection.id, { remoteId: created?.id ?? null, url: '' });
    await api.call(connector.update(target, created?.id ?? '', hook));
  }
  const now = clock.now();
  const waits = isAsked && !isSaved ? WITHOUT_URL : null;
  const changed = {
    remoteId: created?.id ?? id,
    ...{ url: waits === null ? hook.url : '', events: hook.events, isPaused: false, problem: waits },
    ...{ webhook: webhook.name, pointedAt: now, checkedAt: now },
    isAdopted: connection.isAdopted || plan.outcome === 'adopted',
    ...(hook.secret !== null && { fingerprint: fingerprintOf(hook.secret, store.installationId()) }),
  };
  await store.changeConnection(connection.id, changed);
  const notes = [...(created?.note === undefined ? [] : [created.note]), ...(waits === null ? [] : [waits])];
  return { connection: { ...connection, ...changed }, secretToSave: isSaved ? null : made, notes };
}

const WITHOUT_URL =
  'it has no address yet, because its sender asks there first: put its secret into the variable of the webhook, restart hookctl, and type hookctl connect check --fix';

/** A hook of several parts can have been made in part when its sender refuses one of them. */
async function removeParts(context: ConnectContext, { opened, webhook, hook }: Work): Promise<void> {
  if (opened.connector.join === undefined) return;
  const parts = ownHooks(context, { opened, hooks: await hooksOf(context, opened), webhook, hook });
  for (const { id } of parts) await removeHook(context, opened, id);
}

function newRecord({ ids, clock }: ConnectContext, { opened, webhook, hook }: Work): Connection {
  const { connector, target, account } = opened;
  return {
    id: ids.next('con'),
    connector: connector.name,
    webhook: webhook.name,
    webhookId: webhook.origin.kind === 'dynamic' ? webhook.origin.webhookId : null,
    ...{ kind: target.kind, target: target.name, apiUrl: account.baseUrl },
    ...{ remoteId: null, url: hook.url, events: hook.events, fingerprint: null },
    ...{ isAdopted: false, isPaused: false, problem: null },
    ...{ createdAt: clock.now(), pointedAt: null, checkedAt: null },
  };
}

const MOST_CREATIONS = 3;

/** Makes the hook once: where the answer was cut off, it is looked for by its marker before it is made again. */
async function create(context: ConnectContext, { opened, webhook, hook }: Work): Promise<CreatedHook> {
  const { connector, target, api } = opened;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return connector.readCreated(await api.call(connector.create(target, hook)));
    } catch (error) {
      const isLost = error instanceof ApiError && error.kind === 'uncertain' && connector.show === undefined;
      if (!isLost || attempt === MOST_CREATIONS) throw error;
      const [found] = ownHooks(context, { opened, hooks: await hooksOf(context, opened), webhook, hook });
      // Where the sender made the secret it was in the lost answer: that hook is of no use.
      if (found !== undefined && connector.makesSecret !== true) return { id: found.id, secret: null };
      if (found !== undefined) await removeHook(context, opened, found.id);
    }
  }
}

/** A hook that is gone already counts as removed; but 404 is also the answer to a token that may not see hooks. */
async function removeHook(context: ConnectContext, opened: Opened, id: string): Promise<void> {
  const request = opened.connector.remove(opened.target, id);
  if (request === null) return;
  try {
    await opened.api.call(request);
  } catch (error) {
    if (!(error instanceof ApiError && error.answer?.status === 404)) throw error;
    if ((await hooksOf(context, opened)).some((hook) => hook.id === id)) throw error;
  }
}

/** Removes the hook at the sender, then its record. Throws, and keeps the record, when the sender refuses. */
export async function disconnect(context: ConnectContext, connection: Connection): Promise<void> {
  const opened = await openConnected(context, connection);
  const { store } = context;
  const isKept = connection.isAdopted && opened.connector.keepsAdopted === true;
  const ids =
    connection.remoteId !== null
      ? isKept
        ? []
        : [connection.remoteId]
      : // It was being made when hookctl ended.
        (await hooksOf(context, opened))
          .filter(
            ({ url }) => markerIn(url) === store.installationId() && pathOf(url) === pathOf(connection.url),
          )
          .map(({ id }) => id);
  for (const id of ids) await removeHook(context, opened, id);
  await store.forgetConnection(connection.id);
  if (connection.kind === 'app') await context.apps.forget(connection.apiUrl);
}

/** Asks the sender for a test request. False when it has none that would run no command. */
export async function ping(context: ConnectContext, connection: Connection): Promise<boolean> {
  const { connector, target, api } = await openConnected(context, connection);
  if (connection.remoteId === null) {
    throw failure('not_made', `${nameOfConnection(connection)} was not made to the end`, {
      fix: 'hookctl connect check --fix',
    });
  }
  const request = connector.ping?.(target, connection.remoteId, connection.events) ?? null;
  if (request === null) return false;
  await api.call(request);
  return true;
}

function listCalls({ connector, target }: Opened): readonly ApiRequest[] {
  const list = connector.list(target);
  return list === null ? [] : [list];
}

/** One line for a person: method, URL, body without the secret. */
function shownCall(
  { account }: Opened,
  { method, path, body }: ApiRequest,
  { secret }: HookSettings,
): string {
  const hide = (value: unknown) => (secret !== null && value === secret ? '********' : value);
  const plain = body instanceof URLSearchParams ? Object.fromEntries(body) : body;
  const text = plain === null ? '' : ` ${JSON.stringify(plain, (_, value) => hide(value))}`;
  return `${method} ${account.baseUrl}${path}${text}`.replaceAll('%7Bid%7D', '{id}');
}
