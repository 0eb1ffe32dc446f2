import type { RegistryChange } from '../config/registry.ts';
import type { DispatchResult } from '../deliveries/context.ts';
import type { Services } from '../services.ts';
import type { AuditReader } from '../store/audit.ts';
import type { Actor, JsonObject } from '../types.ts';
import type { ServeListener } from './events.ts';
import { newPermissions, type Permission, type RecordedPermission } from './permissions.ts';

interface ServeAuditOptions {
  readonly services: Services;
  readonly store: AuditReader;
  /** What the configuration in force lets hookctl do outside. */
  readonly permissions: () => readonly RecordedPermission[];
  readonly emit: ServeListener;
}

interface ServeAudit {
  /** Records the start. Resolves with what it lets hookctl do that the last one did not. */
  started(how: JsonObject): Promise<readonly Permission[]>;
  readonly listen: ServeListener;
  /** Resolves when everything is on disk. */
  close(): Promise<void>;
}

type Applied = Extract<RegistryChange, { kind: 'applied' }>;

const SERVER: Actor = { kind: 'server', name: 'hookctl serve' };
const DB_NAME = 'webhooks.json';

/** Records what happens by itself: the start, reloads, and what senders approve. The API records what it changes. */
export function openServeAudit(options: ServeAuditOptions): ServeAudit {
  const { services, store, permissions, emit } = options;
  let work: Promise<void> = Promise.resolve();
  let closed = false;
  let allowed = permissions().map(({ record }) => record);

  function record(entry: Parameters<Services['audit']>[0], actor = SERVER): void {
    if (closed) return;
    work = work
      .then(() => services.audit(entry, actor))
      .catch((error: unknown) => emit({ type: 'broken', error }));
  }

  function reloaded({ kind: _, revision, ...names }: Applied): void {
    const now = permissions();
    const added = newPermissions(allowed, now);
    const texts = now.map(({ record }) => record);
    const isSame = texts.join('\n') === allowed.join('\n');
    allowed = texts;
    const details = { ...names, ...(!isSame && { allowed }) };
    record({ what: 'webhook.reload', target: DB_NAME, details, revision });
    if (added.length > 0) emit({ type: 'granted', permissions: added });
  }

  return {
    async started(how) {
      const former = allowedAtLast(store);
      const details = { version: services.version, ...how, allowed };
      await services.audit({ what: 'serve.start', target: null, details });
      return newPermissions(former, permissions());
    },
    listen(event) {
      if (event.type === 'delivery') {
        const { owner } = event.result.delivery;
        for (const { actor, task, delivery } of approvals(event.result))
          record({ what: 'task.approve', owner, target: task, details: { delivery } }, actor);
      }
      if (event.type !== 'reloaded') return;
      const { change } = event;
      if (change.kind === 'applied') reloaded(change);
      if (change.kind === 'refused') {
        const details = { problems: change.problems.length };
        record({ what: 'webhook.refused', target: DB_NAME, details });
      }
    },
    close() {
      closed = true;
      return work;
    },
  };
}

/** Reloads that are looked through for the last that changed what is allowed; beyond them the start counts. */
const RELOADS = 1_000;

/** What was allowed when a start or a reload last said so. */
function allowedAtLast(store: AuditReader): readonly string[] {
  const starts = store.audit({ what: 'serve.start', limit: 1 });
  const reloads = store.audit({ what: 'webhook.reload', limit: RELOADS });
  const said = [...starts, ...reloads].filter(({ details }) => Array.isArray(details.allowed));
  const allowed = said.toSorted((a, b) => b.id - a.id)[0]?.details.allowed;
  return Array.isArray(allowed) ? allowed.map(String) : [];
}

/** What people approved by writing so, at the provider. */
function approvals({ delivery: { provider, senderName, id, decisions } }: DispatchResult) {
  const actor: Actor = { kind: 'sender', name: `${provider}:${senderName ?? 'unknown'}` };
  return decisions
    .filter(({ command, fired }) => command === 'approve' && fired)
    .flatMap(({ taskIds }) => taskIds.map((task) => ({ actor, task, delivery: id })));
}
