import type { Change } from '../../config/dynamic/change.ts';
import type { DynamicWebhooks } from '../../config/dynamic/index.ts';
import type { DbWebhook } from '../../config/dynamic/schema.ts';
import type { StoreReader } from '../../store/store.ts';
import type { Actor, Snapshot, Webhook } from '../../types.ts';
import type { Handshakes } from '../ingress/handshakes.ts';
import { type WebhookView, webhookViewer } from '../webhook-view.ts';

interface WebhookAdminOptions {
  readonly db: Pick<DynamicWebhooks, 'edit' | 'restore'>;
  /** The webhooks in force. */
  readonly snapshot: () => Snapshot;
  /** Records of the dynamic ones in the db. */
  readonly records: () => readonly DbWebhook[];
  /** Loads what is on disk; resolves when it is in force. */
  readonly reload: () => Promise<void>;
  readonly store: Pick<StoreReader, 'countsByWebhook' | 'deliveries'>;
  /** The actions that `owners` of webhooks.yml lists for one; undefined where it lists none. Left out: it lists none at all. */
  readonly actionsOf?: (owner: string) => readonly string[] | undefined;
  /** Where senders reach an endpoint. */
  readonly urlOf: (endpoint: string) => string;
  /** Of the socket that senders reach; left out where there is none. */
  readonly handshakes?: Pick<Handshakes, 'await'>;
}

/** What the routes know of the webhooks and do with them. */
export interface WebhookAdmin extends Pick<WebhookAdminOptions, 'snapshot' | 'store' | 'handshakes'> {
  readonly actionsOf: (owner: string) => readonly string[] | undefined;
  /** The webhooks in force, in the order of their names. */
  byName(): readonly Webhook[];
  /** How webhooks are shown, with counts and times as they are now; of the deliveries of one owner alone where one is given. */
  views(webhooks: readonly Webhook[], owner?: string): readonly WebhookView[];
  /** Changes the JSON db; resolves when the change is in force. Throws what the change throws. */
  change<T>(change: Change<T>, actor: Actor): Promise<T>;
  /** Brings the last good copy of the JSON db back; resolves when it is in force. */
  readonly restore: DynamicWebhooks['restore'];
}

/** The webhooks in force, made ready to be listed. */
interface Listed {
  readonly byName: readonly Webhook[];
  readonly records: ReadonlyMap<string, DbWebhook>;
}

/** Reads and changes of webhooks, in the process that serves them or in a command. */
export function openWebhookAdmin(options: WebhookAdminOptions): WebhookAdmin {
  const { db, snapshot, records, reload, store, handshakes, urlOf, actionsOf = () => undefined } = options;
  const listed = oncePerSnapshot(snapshot, ({ webhooks }): Listed => {
    return {
      byName: webhooks.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      records: new Map(records().map((record) => [record.name, record])),
    };
  });
  return {
    snapshot,
    store,
    actionsOf,
    ...(handshakes !== undefined && { handshakes }),
    byName: () => listed().byName,
    views(webhooks, owner) {
      const names = webhooks.map(({ name }) => name);
      const counts = store.countsByWebhook(names, owner);
      const { records: known } = listed();
      return webhooks.map(webhookViewer({ counts, urlOf, recordOf: ({ name }) => known.get(name) }));
    },
    async change(change, actor) {
      const { result } = await db.edit(change, actor);
      await reload();
      return result;
    },
    async restore(actor) {
      const restored = await db.restore(actor);
      await reload();
      return restored;
    },
  };
}

/** Made once for each snapshot, so that a page costs its own rows and not all webhooks. */
function oncePerSnapshot<T>(snapshot: () => Snapshot, make: (snapshot: Snapshot) => T): () => T {
  let last: { readonly of: Snapshot; readonly made: T } | null = null;
  return () => {
    const now = snapshot();
    if (last?.of !== now) last = { of: now, made: make(now) };
    return last.made;
  };
}
