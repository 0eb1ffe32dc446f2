/** What leaves, and the index by which the runs of a thread in the last minutes are counted. */
export const outbox = `
create table outbox (
  id text primary key,
  kind text not null,
  provider text not null,
  delivery_id text not null references deliveries (id) on delete cascade,
  place text not null,
  content text not null,
  edits text,
  private_network integer not null,
  status text not null,
  reason text,
  attempts integer not null,
  uncertain integer not null,
  next_attempt_at integer not null,
  remote_id text,
  created_at integer not null,
  settled_at integer
) strict;
create index outbox_due on outbox (next_attempt_at, id) where status = 'waiting';
create index outbox_by_status on outbox (status, id);
create index outbox_by_delivery on outbox (delivery_id, id);
create index deliveries_by_thread on deliveries (external_id, settled_at) where settled_at is not null;
`;
