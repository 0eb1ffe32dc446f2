import type { NewOutgoing } from '../../../types.ts';
import type { OutgoingNote, PostSource } from '../../store.ts';
import type { TaskReply } from '../../tasks.ts';
import { type Sql, whole } from '../sql.ts';
import { OUTBOX } from '../tables/outbox.ts';

/** An item that is stored already stays as it is: a dispatch can be repeated. */
export function insertOutgoing(
  sql: Sql,
  item: NewOutgoing,
  delivery: PostSource & { readonly id: string | null },
  at: number,
): void {
  OUTBOX.insert(
    sql,
    {
      ...{ ...item, deliveryId: delivery.id, owner: delivery.owner, provider: delivery.provider },
      ...{ status: 'waiting', attempts: 0, uncertain: false, nextAttemptAt: at, createdAt: at },
    },
    'on conflict (id) do nothing',
  );
}

/** For a step of a task. Items that wait to edit the same comment are no longer to the point. */
export function insertReply(sql: Sql, { item, deliveryId }: TaskReply, at: number): void {
  dropEdits(sql, item, at);
  addComment(sql, item, deliveryId, at);
}

function dropEdits(sql: Sql, { edits }: Pick<NewOutgoing, 'edits'>, at: number): void {
  if (edits === null) return;
  sql.run(
    `update outbox
     set status = 'dropped', reason = 'a later step of the task took its place', settled_at = :at
     where edits = :edits and status = 'waiting' and attempts = 0`,
    { edits, at },
  );
}

/** Queues a post that answers no delivery, or an edit of any post. False when there is nothing to edit any more. */
export function addPost(sql: Sql, item: NewOutgoing, from: PostSource, at: number): boolean {
  const original = item.edits === null ? null : OUTBOX.get(sql, item.edits);
  if (item.edits !== null && original === null) return false;
  dropEdits(sql, item, at);
  const { provider, owner } = original ?? from;
  insertOutgoing(sql, item, { id: original?.deliveryId ?? null, provider, owner }, at);
  return true;
}

/** False when the delivery is no longer stored: nothing is sent then. */
export function addComment(sql: Sql, item: NewOutgoing, deliveryId: string, at: number): boolean {
  const delivery = sql.one<PostSource & { id: string }>(
    'select id, provider, owner from deliveries where id = ?',
    [deliveryId],
  );
  if (delivery === null) return false;
  insertOutgoing(sql, item, delivery, at);
  // What asks about a task in its thread is the task's comment, which later steps edit.
  if (item.buttonsOf != null && item.edits === null)
    sql.run(
      `update tasks set source_metadata = json_set(source_metadata, '$.comment_outgoing_id', :item)
       where id = :task and json_extract(source_metadata, '$.comment_outgoing_id') is null`,
      { item: item.id, task: item.buttonsOf },
    );
  return true;
}

export function beginOutgoing(sql: Sql, id: string): void {
  sql.run("update outbox set attempts = attempts + 1, uncertain = 1 where id = ? and status = 'waiting'", [
    id,
  ]);
}

export function noteOutgoing(sql: Sql, id: string, note: OutgoingNote): void {
  const nextAttemptAt = whole(note.nextAttemptAt);
  OUTBOX.update(sql, id, { ...note, nextAttemptAt }, "status = 'waiting'");
}

export function retryOutgoing(sql: Sql, id: string, now: number): boolean {
  const again = { status: 'waiting', attempts: 0, nextAttemptAt: now, settledAt: null } as const;
  return OUTBOX.update(sql, id, again, "status in ('failed', 'dropped')");
}

export function dropOutgoing(sql: Sql, id: string, now: number): boolean {
  return OUTBOX.update(sql, id, { status: 'dropped', settledAt: now }, "status in ('waiting', 'failed')");
}
