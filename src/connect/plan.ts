import { failure, notFound, usageError } from '../errors.ts';
import type { Connection, Webhook } from '../types.ts';
import { ApiError, type ApiRequest } from './api.ts';
import type { HookSettings, RemoteHook, Target } from './connector.ts';
import { type ConnectContext, fingerprintOf, marked, markerIn, type Opened } from './context.ts';

/** What `connect` is asked for. */
export interface ConnectOrder {
  readonly connector: string;
  /** As it was typed. */
  readonly target: string;
  readonly isOrganisation: boolean;
  /** The target is an App of hookctl's own. Left out: it is none. */
  readonly isApp?: boolean;
  /** Name of the webhook that receives. Null when it is the one of this sender. */
  readonly webhook: string | null;
  /** Take over a hook that hookctl did not make: its id, or `''` for the one that leads to the same endpoint. Null when none is. */
  readonly adopt: string | null;
  /** Change nothing; only read, and say which calls would be made. */
  readonly isDryRun: boolean;
}

/** `made`: there was no hook. `found`: a hook of this installation, as it was left by a crash. `changed`, `kept`: it was connected before. */
export type ConnectOutcome = 'made' | 'found' | 'adopted' | 'changed' | 'kept';

/** The webhook that was named, else the one that has the sender's name, else the only one of it. */
export function receiverOf(
  { snapshot }: ConnectContext,
  { connector, webhook: name }: Pick<ConnectOrder, 'connector' | 'webhook'>,
): Webhook {
  const { webhooks, byName } = snapshot();
  const known = webhooks.filter(({ providerName }) => providerName === connector);
  const found = name === null ? (byName.get(connector) ?? known[0]) : byName.get(name);
  if (found === undefined) {
    const add = `Add one: hookctl webhook add ${connector} --name ${connector}`;
    if (name === null) throw notFound(`there is no webhook of ${connector}`, add);
    throw notFound(`there is no webhook ${name}`, 'List them: hookctl webhook list');
  }
  if (name === null && found.name !== connector && known.length > 1) {
    const names = known.map((each) => each.name).join(', ');
    throw usageError(
      `${known.length} webhooks receive from ${connector}`,
      `Name one with --webhook: ${names}.`,
    );
  }
  if (found.providerName === connector) return found;
  throw usageError(`the webhook ${found.name} receives from ${found.providerName}, not from ${connector}`);
}

type Rules = Pick<Opened['connector'], 'eventsOf' | 'makesSecret' | 'name'>;

/** What the hook of a webhook shall be now. Throws when it cannot be anything. */
export function settingsFor(context: ConnectContext, webhook: Webhook, connector: Rules): HookSettings {
  const { name, endpoint, secrets } = webhook;
  const url = context.publicUrlOf(endpoint);
  if (url === null) {
    throw failure('no_public_url', 'no public URL leads here, so that a sender could not reach hookctl', {
      fix: 'Start hookctl with a tunnel first: hookctl serve --tunnel cloudflared. Or set publicUrl in webhooks.yml.',
    });
  }
  const events = connector.eventsOf(webhook);
  if (events.length === 0) {
    throw failure('no_events', `no command of ${name} uses an event`, {
      fix: `Add one: hookctl webhook command add ${name} --help`,
    });
  }
  const secret = secrets[0]?.value.reveal() ?? null;
  if (secret === null && connector.makesSecret !== true) {
    throw failure('no_secret', `the webhook ${name} has no secret (${webhook.secretSource})`, {
      fix: `Set the variable before hookctl starts, or make one: hookctl webhook rotate-secret ${name}`,
    });
  }
  const isOwn = connector.makesSecret === true;
  return {
    url: marked(url, context.store.installationId()),
    events,
    secret: isOwn ? null : secret,
    isActive: true,
  };
}

/** All hooks of the target; where the sender lists none, those that are on record, and the one to be taken over. */
export async function hooksOf(
  context: Pick<ConnectContext, 'store'>,
  opened: Opened,
  adopt: string | null = null,
): Promise<readonly RemoteHook[]> {
  const { connector, target, api } = opened;
  const hooks: RemoteHook[] = [];
  const first = connector.list(target);
  if (first === null) {
    const known = context.store
      .connections()
      .filter((it) => it.connector === connector.name && it.target === target.name)
      .map(({ remoteId }) => remoteId);
    for (const id of new Set([...known, adopt || null])) {
      const hook = id === null ? null : await hookNamed(opened, id);
      if (hook !== null) hooks.push(hook);
    }
    return hooks;
  }
  for await (const answer of api.pages(first, connector.next)) {
    const listed = connector.readList(answer, target);
    const isRead = (hook: RemoteHook) => hooks.some(({ id }) => id === hook.id);
    // A sender that does not know pages gives the same one for ever.
    if (listed.length > 0 && listed.every(isRead)) break;
    hooks.push(...listed);
  }
  return connector.join?.(hooks) ?? hooks;
}

/** One hook by its id, where the sender lists none. Null when it is gone, or the sender has a list. */
export async function hookNamed({ connector, target, api }: Opened, id: string): Promise<RemoteHook | null> {
  if (connector.show === undefined) return null;
  try {
    const [hook] = connector.readList(await api.call(connector.show(target, id)), target);
    return hook === undefined ? null : { ...hook, id };
  } catch (error) {
    if (error instanceof ApiError && error.answer !== null && connector.isGone?.(error.answer)) return null;
    throw error;
  }
}

interface Wanted {
  readonly opened: Opened;
  readonly hooks: readonly RemoteHook[];
  readonly webhook: Webhook;
  readonly hook: HookSettings;
  readonly adopt: string | null;
}

export interface Plan {
  readonly outcome: ConnectOutcome;
  /** The hook to take; null when one is to be made. */
  readonly remote: RemoteHook | null;
  /** Further hooks of this installation for the same webhook, to be removed. */
  readonly surplus: readonly RemoteHook[];
  readonly requests: readonly ApiRequest[];
  readonly notes: readonly string[];
  /** The record, if it is connected already. */
  readonly record: Connection | null;
}

/** What has to be sent so that there is one hook as it shall be. */
export function planOf(context: ConnectContext, wanted: Wanted): Plan {
  const { opened, hooks, webhook, hook, adopt } = wanted;
  const { connector, target } = opened;
  const record = recordOf(context, opened, webhook);
  const [own = null, ...others] = ownHooks(context, { opened, hooks, webhook, hook });
  const adopted = own === null && adopt !== null ? toAdopt(hooks, { hook, adopt, target }) : null;
  const found = own ?? adopted;
  if (found === null && record?.remoteId === null && connector.show !== undefined) throw lost(opened, record);
  const drift = found === null ? [] : differences(context, { remote: found, hook, record });
  const isUnknown = connector.makesSecret === true && own !== null && record?.remoteId == null;
  const isKept = connector.keepsSecret === true && drift.some(({ field }) => field === 'secret');
  const isReplaced = isUnknown || isKept;
  const remote = isReplaced ? null : found;
  const surplus = isReplaced && found !== null ? [found, ...others] : others;
  const write =
    remote === null
      ? connector.create(target, hook)
      : drift.length > 0 || adopted !== null
        ? connector.update(target, remote.id, hook, remote)
        : null;
  const ping = connector.ping?.(target, remote?.id ?? '{id}', hook.events) ?? null;
  const first = remote === null ? (connector.validate?.(target, hook) ?? null) : null;
  const requests = [first, write, ...surplus.map((each) => connector.remove(target, each.id)), ping];
  return {
    outcome: outcomeOf({ found, adopted, record, isChanged: drift.length > 0 }),
    remote,
    surplus,
    requests: requests.filter((request) => request !== null),
    notes: found === null ? rivals(hooks, hook) : [],
    record,
  };
}

/** hookctl ended between making a hook and knowing its id, and the sender lists none. */
function lost({ target }: Opened, { id }: Connection): Error {
  return failure(
    'maybe_made',
    `${target.name} may have been made already: hookctl ended before its answer came, and the sender lists nothing`,
    {
      fix: `Look on the sender's page. If it is there, take it over: --adopt <its id>. If not, forget it and make it again: hookctl connect remove ${id}`,
    },
  );
}

function outcomeOf({
  found,
  adopted,
  record,
  isChanged,
}: Pick<Plan, 'record'> & {
  readonly found: RemoteHook | null;
  readonly adopted: RemoteHook | null;
  readonly isChanged: boolean;
}): ConnectOutcome {
  if (found === null) return 'made';
  if (adopted !== null) return 'adopted';
  if (record?.remoteId == null) return 'found';
  return isChanged ? 'changed' : 'kept';
}

function recordOf({ store }: ConnectContext, { connector, target, account }: Opened, webhook: Webhook) {
  const isSame = (it: Connection) =>
    it.connector === connector.name &&
    it.apiUrl === account.baseUrl &&
    it.kind === target.kind &&
    it.target === target.name &&
    it.webhook === webhook.name;
  return store.connections().find(isSame) ?? null;
}

/**
 * The hooks of this installation that lead to the webhook, the recorded one first. The marker makes them ours, also when a
 * crash came before the record; a hook that another connection has is not among them.
 */
export function ownHooks(
  context: ConnectContext,
  { opened, hooks, webhook, hook }: Pick<Wanted, 'opened' | 'hooks' | 'webhook' | 'hook'>,
): readonly RemoteHook[] {
  const { store } = context;
  const record = recordOf(context, opened, webhook);
  const others = new Set(
    store
      .connections()
      .filter((it) => it.id !== record?.id && it.connector === opened.connector.name)
      .map(({ remoteId }) => remoteId),
  );
  const isOurs = ({ id, url }: RemoteHook) =>
    id === record?.remoteId ||
    (!others.has(id) && markerIn(url) === store.installationId() && pathOf(url) === pathOf(hook.url));
  return hooks.filter(isOurs).toSorted((a) => (a.id === record?.remoteId ? -1 : 0));
}

export function pathOf(url: string): string {
  return URL.parse(url)?.pathname ?? url;
}

/** The hook that `--adopt` names. Never one of another hookctl: two people would take it from each other in turn. */
function toAdopt(
  hooks: readonly RemoteHook[],
  { hook, adopt, target }: { readonly hook: HookSettings; readonly adopt: string; readonly target: Target },
): RemoteHook {
  const free = hooks.filter(({ url }) => markerIn(url) === null);
  const found = free.filter(({ id, url }) =>
    adopt === '' ? pathOf(url) === pathOf(hook.url) : id === adopt,
  );
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  const named = hooks.find(({ id }) => id === adopt);
  const list = free.map(({ id, url }) => `${id} (${url})`).join(', ') || 'none';
  if (named !== undefined) {
    throw failure(
      'foreign_hook',
      `hook ${adopt} of ${target.name} belongs to another hookctl (${named.url})`,
    );
  }
  const what = adopt === '' ? `leads to ${pathOf(hook.url)}` : `has the id ${adopt}`;
  throw notFound(
    `${found.length === 0 ? 'no hook' : `more than one hook`} of ${target.name} ${what}`,
    `Hooks that can be taken over: ${list}. Name one: --adopt <id>`,
  );
}

/** Hooks that a person made for the same endpoint: with a second one, each event arrives twice. */
function rivals(hooks: readonly RemoteHook[], hook: HookSettings): readonly string[] {
  return hooks
    .filter(({ url, isActive }) => isActive && markerIn(url) === null && pathOf(url) === pathOf(hook.url))
    .map(
      ({ id, url }) =>
        `hook ${id} leads to the same endpoint (${url}) and was not made by hookctl: if it reaches this machine, each event arrives twice. Take it over instead: --adopt ${id}`,
    );
}

/** One thing in which a hook is not as it should be. */
export interface Difference {
  readonly field: 'url' | 'events' | 'secret' | 'active';
  readonly is: string;
  readonly shall: string;
}

export function differences(
  { store }: Pick<ConnectContext, 'store'>,
  {
    remote,
    hook,
    record,
  }: { readonly remote: RemoteHook; readonly hook: HookSettings; readonly record: Connection | null },
): readonly Difference[] {
  const found: Difference[] = [];
  if (remote.url !== hook.url) found.push({ field: 'url', is: remote.url, shall: hook.url });
  const shall = hook.events.toSorted().join(', ');
  const is = remote.events?.toSorted().join(', ') ?? shall;
  if (is !== shall) found.push({ field: 'events', is: is || 'none', shall });
  if (remote.disabled !== null || !remote.isActive) {
    found.push({ field: 'active', is: remote.disabled ?? 'switched off', shall: 'active' });
  }
  if (hook.secret !== null) {
    const isKnown = record?.fingerprint === fingerprintOf(hook.secret, store.installationId());
    if (remote.hasSecret === false) found.push({ field: 'secret', is: 'none', shall: 'that of the webhook' });
    else if (!isKnown)
      found.push({
        field: 'secret',
        is: record?.fingerprint == null ? 'not known' : 'a former one',
        shall: 'that of the webhook',
      });
  }
  return found;
}
