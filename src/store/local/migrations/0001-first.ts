/**
 * Deliveries, bodies, keys, flows, conversations, tasks. Ids sort by time, so an index that ends in `id` answers
 * a list in order without sorting.
 */
export const first = `
create table deliveries (
  id text primary key,
  webhook text not null,
  provider text not null,
  status text not null,
  trust text,
  reason text,
  sender_delivery_id text,
  event_type text,
  external_id text,
  sender_name text,
  headers text not null,
  query text not null,
  size integer not null,
  received_at integer not null,
  settled_at integer,
  duplicate_of text,
  replay_of text,
  replies integer not null,
  attempts integer not null,
  next_attempt_at integer,
  decisions text not null,
  claims text not null
) strict;
create index deliveries_by_status on deliveries (status, id);
create index deliveries_by_webhook on deliveries (webhook, id, status, received_at);

create table bodies (
  delivery_id text primary key,
  bytes blob not null
) strict;

create table dedupe_keys (
  webhook text not null,
  key text not null,
  delivery_id text not null references deliveries (id) on delete cascade,
  primary key (webhook, key)
) strict, without rowid;
create index dedupe_keys_by_delivery on dedupe_keys (delivery_id);

create table flows (
  id text primary key,
  external_id text not null,
  current_conversation_id text not null,
  created_at integer not null
) strict;

create table conversations (
  id text primary key,
  flow_id text not null references flows (id),
  created_at integer not null
) strict;

create table tasks (
  id text primary key,
  title text not null,
  status text not null,
  agent text not null,
  prompt text not null,
  flow_id text not null references flows (id),
  conversation_id text not null references conversations (id),
  parent_task_id text references tasks (id),
  initiated_task_id text not null references tasks (id),
  delivery_id text,
  webhook text,
  command text,
  external_id text not null,
  url text,
  result text,
  error text,
  source_metadata text not null,
  sync_to_claude integer not null,
  unsynced text,
  created_at integer not null,
  updated_at integer not null,
  completed_at integer
) strict;
create index tasks_by_status on tasks (status, id);
create index tasks_by_flow on tasks (flow_id, id);
create index tasks_by_delivery on tasks (delivery_id, id);
create index tasks_open on tasks (id) where completed_at is null;
create index tasks_ended on tasks (completed_at, id) where completed_at is not null;
`;
