import type { DynamicWebhooks } from '../config/dynamic/index.ts';
import type { DbWebhook } from '../config/dynamic/schema.ts';
import type { StoreReader } from '../store/store.ts';
import type { Snapshot } from '../types.ts';
import type { WebhookAdmin } from './api/webhooks.ts';
import { webhookViewer } from './webhook-view.ts';

export interface WebhookAdminOptions {
  readonly db: Pick<DynamicWebhooks, 'edit' | 'read'>;
  /** The webhooks in force, and the revision of their dynamic part. */
  readonly snapshot: () => Snapshot;
  readonly revision: () => string;
  /** Takes up what is on disk; resolves when it is in force. */
  readonly reload: () => Promise<void>;
  readonly store: Pick<StoreReader, 'countsByWebhook' | 'deliveries'>;
  /** Where senders reach an endpoint. */
  readonly urlOf: (endpoint: string) => string;
}

/** What the API knows of the webhooks and does with them, in the process that serves them. */
export function webhookAdmin(options: WebhookAdminOptions): WebhookAdmin {
  const { db, snapshot, revision, reload, store, urlOf } = options;
  const records = atRevision(revision, async () => (await db.read()).webhooks);
  return {
    snapshot,
    store,
    viewer: async () => webhookViewer({ counts: store.countsByWebhook(), urlOf, records: await records() }),
    async change(change, actor) {
      const { result } = await db.edit(change, actor);
      await reload();
      return result;
    },
  };
}

/** Reads the db again only after it changed; what stands there while it does not validate is not taken. */
function atRevision(
  revision: () => string,
  read: () => Promise<readonly DbWebhook[]>,
): () => Promise<readonly DbWebhook[]> {
  let known: readonly DbWebhook[] = [];
  let readAt: string | null = null;
  return async () => {
    const now = revision();
    if (now !== readAt) {
      known = await read().catch(() => known);
      readAt = now;
    }
    return known;
  };
}
