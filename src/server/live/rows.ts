import { idFloor } from '../../lib/ids.ts';
import type { StoreReader } from '../../store/store.ts';
import { runView } from '../../task-views.ts';
import { connectionView, deliveryView, outgoingView, taskView } from '../../views.ts';
import type { EventObject } from './objects.ts';

/** A row as the event that it was last, and when that was; epoch milliseconds. */
interface StoredEvent {
  readonly at: number;
  /** Null for what is about the whole server. */
  readonly owner: string | null;
  readonly object: EventObject;
}

/** More rows of one kind than this are a gap: the reader reads its lists anew. */
const MOST = 500;
/** Older deliveries and posts that may have been settled since: so many are looked through. */
const LOOKED_AT = 5_000;
/** A row has the time of its cause; its event came a little later. */
const SLACK_MS = 2_000;

type Reader = Pick<
  StoreReader,
  'deliveries' | 'tasks' | 'runsSince' | 'outbox' | 'connections' | 'audit' | 'idBefore'
>;

/**
 * What happened since, from the rows that events left, oldest first, each in its present state: for readers that
 * were away longer than the memory of the stream goes back, or while no server ran. Null when it is too much to tell.
 */
export function eventsOfRows(store: Reader, moment: number): readonly StoredEvent[] | null {
  const since = moment - SLACK_MS;
  const before = idFloor('dlv', since);
  const from = store.idBefore('deliveries', before, LOOKED_AT);
  const limit = MOST + 1;
  const lists = [
    store.deliveries({ since, limit }).map((row) => ({
      at: Math.max(row.receivedAt, row.settledAt ?? 0),
      owner: row.owner,
      object: ['delivery', deliveryView(row)] as const,
    })),
    store.deliveries({ settledSince: since, before, limit, ...(from !== null && { from }) }).map((row) => ({
      at: row.settledAt ?? since,
      owner: row.owner,
      object: ['delivery', deliveryView(row)] as const,
    })),
    [
      ...store.tasks({ open: true, updatedSince: since, limit }),
      ...store.tasks({ endedSince: since, limit }),
    ].map((row) => ({ at: row.updatedAt, owner: row.owner, object: ['task', taskView(row)] as const })),
    store.runsSince(since, limit).map((row) => ({
      at: row.endedAt ?? row.startedAt ?? row.createdAt,
      owner: row.owner,
      object: ['run', runView(row)] as const,
    })),
    store.outbox({ settledSince: since, limit }).map((row) => ({
      at: row.settledAt ?? row.createdAt,
      owner: row.owner,
      object: ['outgoing', outgoingView(row)] as const,
    })),
    store
      .connections()
      .filter(({ createdAt, pointedAt }) => Math.max(createdAt, pointedAt ?? 0) >= since)
      .map((row) => ({
        at: Math.max(row.createdAt, row.pointedAt ?? 0),
        owner: null,
        object: ['connection', { ...connectionView(row), text: row.problem ?? 'changed' }] as const,
      })),
  ];
  if (lists.some((list) => list.length > MOST)) return null;
  // A person may have had an older one worked off again.
  if (from !== null && store.audit({ what: 'delivery.retry', since, limit: 1 }).length > 0) return null;
  return lists.flat().toSorted((left, right) => left.at - right.at);
}
