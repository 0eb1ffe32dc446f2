import type { NewOutgoing } from '../../../types.ts';
import type { OutgoingNote } from '../../store.ts';
import type { TaskReply } from '../../tasks.ts';
import { type Sql, whole } from '../sql.ts';

/** An item that is stored already stays as it is: a dispatch can be repeated. */
export function insertOutgoing(
  sql: Sql,
  item: NewOutgoing,
  delivery: { readonly id: string; readonly provider: string },
  at: number,
): void {
  sql.run(
    `insert into outbox (id, kind, provider, delivery_id, place, content, edits, private_network, status,
       attempts, uncertain, next_attempt_at, created_at)
     values (:id, :kind, :provider, :deliveryId, :place, :content, :edits, :privateNetwork, 'waiting',
       0, 0, :at, :at)
     on conflict (id) do nothing`,
    {
      ...{ id: item.id, kind: item.kind, content: item.content, edits: item.edits, at },
      ...{ deliveryId: delivery.id, provider: delivery.provider },
      place: JSON.stringify(item.place),
      privateNetwork: item.privateNetwork ? 1 : 0,
    },
  );
}

/** For a step of a task. Items that wait to edit the same comment are no longer to the point. */
export function insertReply(sql: Sql, { item, deliveryId }: TaskReply, at: number): void {
  if (item.edits !== null) {
    sql.run(
      `update outbox
       set status = 'dropped', reason = 'a later step of the task took its place', settled_at = :at
       where edits = :edits and status = 'waiting' and attempts = 0`,
      { edits: item.edits, at },
    );
  }
  addComment(sql, item, deliveryId, at);
}

/** False when the delivery is no longer stored: nothing is sent then. */
export function addComment(sql: Sql, item: NewOutgoing, deliveryId: string, at: number): boolean {
  const delivery = sql.one<{ id: string; provider: string }>(
    'select id, provider from deliveries where id = ?',
    [deliveryId],
  );
  if (delivery === null) return false;
  insertOutgoing(sql, item, delivery, at);
  return true;
}

export function beginOutgoing(sql: Sql, id: string): void {
  sql.run("update outbox set attempts = attempts + 1, uncertain = 1 where id = ? and status = 'waiting'", [
    id,
  ]);
}

export function noteOutgoing(sql: Sql, id: string, note: OutgoingNote): void {
  sql.run(
    `update outbox
     set status = :status, reason = :reason, uncertain = :uncertain, next_attempt_at = :nextAttemptAt,
       remote_id = :remoteId, settled_at = :settledAt
     where id = :id and status = 'waiting'`,
    { ...note, id, uncertain: note.uncertain ? 1 : 0, nextAttemptAt: whole(note.nextAttemptAt) },
  );
}

export function retryOutgoing(sql: Sql, id: string, now: number): boolean {
  const changed = sql.run(
    `update outbox set status = 'waiting', attempts = 0, next_attempt_at = :now, settled_at = null
     where id = :id and status in ('failed', 'dropped')`,
    { id, now },
  );
  return changed > 0;
}

export function dropOutgoing(sql: Sql, id: string, now: number): boolean {
  const changed = sql.run(
    `update outbox set status = 'dropped', settled_at = :now
     where id = :id and status in ('waiting', 'failed')`,
    { id, now },
  );
  return changed > 0;
}
