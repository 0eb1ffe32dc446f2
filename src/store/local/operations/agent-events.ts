import type { Sql } from '../sql.ts';

/** Registers a consumer; one that is registered stays as it is. */
export function joinEvents(sql: Sql, consumer: string, sinceTask: string | null, at: number): void {
  const newest = sql.count(
    sinceTask === null
      ? 'select max(id) from task_transitions'
      : 'select min(id) from task_transitions where task_id = ?',
    sinceTask === null ? [] : [sinceTask],
  );
  sql.run(
    `insert into event_consumers (name, joined_after, created_at) values (?, ?, ?)
     on conflict (name) do nothing`,
    [consumer, newest, at],
  );
}

/** False when there is no such consumer or event. A second acknowledgement is as good as the first. */
export function ackEvent(sql: Sql, consumer: string, eventId: string): boolean {
  const id = Number(/^evt-(\d{1,15})$/.exec(eventId)?.[1] ?? 0);
  const known = sql.value(
    `select 1 from event_consumers join task_transitions on task_transitions.id = ?
     where event_consumers.name = ?`,
    [id, consumer],
  );
  if (known === null) return false;
  sql.run('insert into event_acks (consumer, transition_id) values (?, ?) on conflict do nothing', [
    consumer,
    id,
  ]);
  return true;
}
