import type { DynamicWebhooks } from '../config/dynamic/index.ts';
import type { DbWebhook } from '../config/dynamic/schema.ts';
import type { WebhookRegistry } from '../config/registry.ts';
import type { StoreReader } from '../store/store.ts';
import type { Snapshot, Webhook } from '../types.ts';
import type { WebhookAdmin } from './api/webhooks.ts';
import { webhookViewer } from './webhook-view.ts';

interface WebhookAdminOptions {
  readonly db: Pick<DynamicWebhooks, 'edit'>;
  /** The webhooks in force. */
  readonly snapshot: WebhookRegistry['current'];
  /** Their dynamic part, as it stands in the db. */
  readonly records: WebhookRegistry['records'];
  /** Takes up what is on disk; resolves when it is in force. */
  readonly reload: WebhookRegistry['reload'];
  readonly store: Pick<StoreReader, 'countsByWebhook' | 'deliveries'>;
  /** Where senders reach an endpoint. */
  readonly urlOf: (endpoint: string) => string;
}

/** The webhooks in force, made ready to be listed. */
interface Listed {
  readonly byName: readonly Webhook[];
  readonly records: ReadonlyMap<string, DbWebhook>;
}

/** What the API knows of the webhooks and does with them, in the process that serves them. */
export function webhookAdmin(options: WebhookAdminOptions): WebhookAdmin {
  const { db, snapshot, records, reload, store, urlOf } = options;
  const listed = oncePerSnapshot(snapshot, ({ webhooks }): Listed => {
    return {
      byName: webhooks.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      records: new Map(records().map((record) => [record.name, record])),
    };
  });
  return {
    snapshot,
    store,
    byName: () => listed().byName,
    views(webhooks) {
      const counts = store.countsByWebhook(webhooks.map(({ name }) => name));
      const { records: known } = listed();
      return webhooks.map(webhookViewer({ counts, urlOf, recordOf: ({ name }) => known.get(name) }));
    },
    async change(change, actor) {
      const { result } = await db.edit(change, actor);
      await reload();
      return result;
    },
  };
}

/** What is made of all webhooks is made once, so that a page costs its own rows and not all that there are. */
function oncePerSnapshot<T>(snapshot: () => Snapshot, make: (snapshot: Snapshot) => T): () => T {
  let last: { readonly of: Snapshot; readonly made: T } | null = null;
  return () => {
    const now = snapshot();
    if (last?.of !== now) last = { of: now, made: make(now) };
    return last.made;
  };
}
