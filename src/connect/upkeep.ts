import { messageOf } from '../errors.ts';
import type { Connection, Webhook } from '../types.ts';
import type { HookSettings, RemoteHook } from './connector.ts';
import {
  type ConnectContext,
  markerIn,
  nameOfConnection,
  type Opened,
  openConnected,
  webhookOf,
} from './context.ts';
import { connectTo, disconnect, ping } from './operations.ts';
import { type Difference, differences, hookNamed, hooksOf, ownHooks, settingsFor } from './plan.ts';

/** What a look at a connection found. */
interface Checked {
  readonly connection: Connection;
  /** `ok`: as it should be. `mended`: by this check. `removed`: its webhook is gone, and so is now the hook. */
  readonly state: 'ok' | 'differs' | 'missing' | 'no_webhook' | 'failed' | 'mended' | 'removed';
  readonly differences: readonly Difference[];
  /** What is wrong, in words, and what to type; null when it is `ok`. */
  readonly text: string | null;
}

/** A hook with the marker of this installation that no record names. */
interface Orphan {
  readonly connector: string;
  readonly target: string;
  readonly id: string;
  readonly url: string;
  readonly isRemoved: boolean;
}

interface CheckReport {
  readonly connections: readonly Checked[];
  readonly orphans: readonly Orphan[];
}

interface CheckOptions {
  /** Mend what differs, make what is missing, remove orphans. */
  readonly fix: boolean;
}

/** Looks at every connection, one sender's target after the other. Records what is wrong. */
export async function checkAll(context: ConnectContext, { fix }: CheckOptions): Promise<CheckReport> {
  const connections: Checked[] = [];
  const orphans: Orphan[] = [];
  const byTarget = Map.groupBy(context.store.connections(), (it) =>
    [it.connector, it.apiUrl, it.kind, it.target].join(' '),
  );
  for (const group of byTarget.values()) {
    const [first] = group;
    if (first === undefined) continue;
    try {
      const opened = await openConnected(context, first);
      const hooks = await hooksOf(context, opened);
      const checked: Checked[] = [];
      for (const connection of group)
        checked.push(await checkOne(context, { opened, hooks, connection, fix }));
      connections.push(...checked);
      // Mending may have made another hook of one.
      const isSame = checked.every(({ state }) => state !== 'mended' && state !== 'removed');
      const present = isSame ? hooks : await hooksOf(context, opened);
      orphans.push(...(await orphansOf(context, { opened, hooks: present, fix })));
    } catch (error) {
      for (const connection of group)
        connections.push(await noted(context, connection, failed(connection, error)));
    }
  }
  return { connections, orphans };
}

interface Look {
  readonly opened: Opened;
  readonly hooks: readonly RemoteHook[];
  readonly connection: Connection;
  readonly fix: boolean;
}

/** What a look says beside the connection itself. */
type Finding = Omit<Checked, 'connection'>;

const OK: Finding = { state: 'ok', differences: [], text: null };

function failed(connection: Connection, error: unknown): Finding {
  const text = `${nameOfConnection(connection)} could not be looked at: ${messageOf(error)}`;
  return { state: 'failed', differences: [], text };
}

async function checkOne(context: ConnectContext, look: Look): Promise<Checked> {
  const { connection, fix } = look;
  const webhook = webhookOf(context, connection);
  if (webhook === null) return checkWithoutWebhook(context, look);
  let finding: Finding;
  try {
    finding = findingOf(context, look, webhook);
    if (fix && finding.state !== 'ok') {
      await mend(context, look.opened, webhook);
      finding = { ...finding, state: 'mended' };
    }
  } catch (error) {
    finding = failed(connection, error);
  }
  return noted(context, context.store.connection(connection.id) ?? connection, finding);
}

async function checkWithoutWebhook(context: ConnectContext, { connection, fix }: Look): Promise<Checked> {
  const name = nameOfConnection(connection);
  const text = `${name} sends to the webhook ${connection.webhook}, which is gone. Remove the hook: hookctl connect remove ${connection.id}`;
  if (!fix) return noted(context, connection, { state: 'no_webhook', differences: [], text });
  await disconnect(context, connection);
  return { connection, state: 'removed', differences: [], text };
}

function findingOf(context: ConnectContext, { opened, hooks, connection }: Look, webhook: Webhook): Finding {
  const hook = settingsFor(context, webhook, opened.connector);
  const name = nameOfConnection(connection);
  const [remote] = ownHooks(context, { opened, hooks, webhook, hook });
  if (remote === undefined) {
    const text = `the hook of ${name} is gone: someone removed it there. Make it again: hookctl connect check --fix`;
    return { state: 'missing', differences: [], text };
  }
  const found = differences(context, { remote, hook, record: connection });
  if (found.length === 0) return OK;
  const list = found.map(({ field, is, shall }) => `${field}: ${is} → ${shall}`).join('; ');
  const text = `the hook of ${name} is not as it should be (${list}). Mend it: hookctl connect check --fix`;
  return { state: 'differs', differences: found, text };
}

/** Makes or changes the hook of a connection, as `connect` does. */
async function mend(context: ConnectContext, { connector, target }: Opened, webhook: Webhook): Promise<void> {
  const { connection } = await connectTo(context, connector, target, {
    webhook,
    adopt: null,
    isDryRun: false,
  });
  // Some senders take a hook up again only when a test request was answered.
  if (connection !== null) await ping(context, connection);
}

/** Puts what was found on record. */
async function noted(
  { store, clock }: ConnectContext,
  connection: Connection,
  finding: Finding,
): Promise<Checked> {
  const problem = finding.state === 'mended' ? null : finding.text;
  const changed = { problem, checkedAt: clock.now() };
  await store.changeConnection(connection.id, changed);
  return { ...finding, connection: { ...connection, ...changed } };
}

/** Hooks with our marker that no connection has: of a record that was lost, or a webhook that was removed elsewhere. */
async function orphansOf(
  { store }: ConnectContext,
  { opened, hooks, fix }: Pick<Look, 'opened' | 'hooks' | 'fix'>,
): Promise<readonly Orphan[]> {
  const { connector, target, api } = opened;
  const known = store.connections().filter((it) => it.connector === connector.name);
  const ids = new Set(known.map(({ remoteId }) => remoteId));
  const orphans = hooks.filter(({ id, url }) => markerIn(url) === store.installationId() && !ids.has(id));
  const found: Orphan[] = [];
  for (const { id, url } of orphans) {
    const removal = connector.remove(target, id);
    if (fix && removal !== null) await api.call(removal);
    found.push({
      connector: connector.name,
      target: target.name,
      id,
      url,
      isRemoved: fix && removal !== null,
    });
  }
  return found;
}

/** Points the hook to where the webhook is reached now. Null when it already does. */
export async function repoint(context: ConnectContext, connection: Connection): Promise<Connection | null> {
  const webhook = webhookOf(context, connection);
  if (webhook === null || connection.remoteId === null) return null;
  const opened = await openConnected(context, connection);
  const { connector, target, api } = opened;
  const hook = settingsFor(context, webhook, connector);
  if (hook.url === connection.url) return null;
  // The events that it was given stay: where they changed, a person sees that as drift first.
  const moved: HookSettings = { ...hook, events: connection.events, isActive: !connection.isPaused };
  const before = await hookNamed(opened, connection.remoteId);
  await api.call(connector.repoint(target, connection.remoteId, moved, before));
  const changed = { url: hook.url, pointedAt: context.clock.now() };
  await context.store.changeConnection(connection.id, changed);
  return { ...connection, ...changed };
}

/** Stops or starts the sending at a clean stop and the next start. False when the sender has no such switch. */
export async function setPaused(
  context: ConnectContext,
  connection: Connection,
  isPaused: boolean,
): Promise<boolean> {
  const webhook = webhookOf(context, connection);
  const { connector, target, api } = await openConnected(context, connection);
  const { remoteId, url, events } = connection;
  if (connector.pause === undefined || remoteId === null || webhook === null) return false;
  const secret = webhook.secrets[0]?.value.reveal() ?? null;
  const request = connector.pause(target, remoteId, { url, events, secret, isActive: !isPaused });
  if (request === null) return false;
  await api.call(request);
  await context.store.changeConnection(connection.id, { isPaused });
  return true;
}
