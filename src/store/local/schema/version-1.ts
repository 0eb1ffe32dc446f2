/**
 * All tables and indexes of version 1. Ids of deliveries, tasks, runs and conversations sort by time: an index that ends in `id`
 * answers a list in order without sorting. A partial index is used only where a query spells its condition out.
 */
export const SCHEMA = `
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
  claims text not null,
  webhook_id text,
  body_segment integer,
  body_offset integer,
  body_removed_at integer,
  by_person integer,
  sample integer
) strict;
create index deliveries_by_status on deliveries (status, id);
create index deliveries_by_webhook on deliveries (webhook, id, status, received_at);
create index deliveries_by_thread on deliveries (external_id, settled_at) where settled_at is not null;
create index deliveries_by_segment on deliveries (body_segment, id) where body_segment is not null;
create index deliveries_samples on deliveries (id) where sample = 1;

create table body_log (segment integer not null, "offset" integer not null) strict;
insert into body_log values (0, 0);

create table dedupe_keys (
  webhook text not null,
  key text not null,
  delivery_id text not null references deliveries (id) on delete cascade,
  acted integer not null default 1,
  primary key (webhook, key)
) strict, without rowid;
create index dedupe_keys_by_delivery on dedupe_keys (delivery_id);

create table flows (
  id text primary key,
  external_id text not null,
  current_conversation_id text not null,
  created_at integer not null
) strict;

create table flow_aliases (
  alias text primary key,
  flow_id text not null references flows (id),
  stable integer not null,
  created_at integer not null
) strict, without rowid;
create index flow_aliases_by_flow on flow_aliases (flow_id);

create table conversations (
  id text primary key,
  flow_id text not null references flows (id),
  created_at integer not null
) strict;
create index conversations_by_flow on conversations (flow_id, id);

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
  completed_at integer,
  source text not null default 'webhook',
  depends_on text not null default '[]',
  cost_usd real,
  input_tokens integer,
  output_tokens integer,
  duration_ms integer,
  started_at integer,
  trust text not null default 'unverified',
  sample integer not null default 0
) strict;
create index tasks_by_status on tasks (status, id);
create index tasks_by_flow on tasks (flow_id, id);
create index tasks_by_delivery on tasks (delivery_id, id);
create index tasks_by_conversation on tasks (conversation_id, id);
create index tasks_by_initiator on tasks (initiated_task_id, completed_at);
create index tasks_by_parent on tasks (parent_task_id) where parent_task_id is not null;
create index tasks_open on tasks (id) where completed_at is null;
create index tasks_ended on tasks (completed_at, id) where completed_at is not null;
create index tasks_dependent on tasks (id) where completed_at is null and depends_on <> '[]';
create index tasks_samples on tasks (id) where sample = 1;

-- Autoincrement: ids of transitions only grow, also after the newest is removed.
create table task_transitions (
  id integer primary key autoincrement,
  task_id text not null references tasks (id),
  event text not null,
  from_status text,
  to_status text not null,
  actor text not null,
  reason text,
  at integer not null
) strict;
create index task_transitions_by_task on task_transitions (task_id, id);
create index task_transitions_news on task_transitions (event, id) where event in ('answer', 'cancel');

create table event_consumers (
  name text primary key,
  joined_after integer not null,
  created_at integer not null
) strict;

create table event_acks (
  consumer text not null references event_consumers (name) on delete cascade,
  transition_id integer not null references task_transitions (id) on delete cascade,
  primary key (consumer, transition_id)
) strict, without rowid;
create index event_acks_by_transition on event_acks (transition_id);

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

create table known_agents (
  name text primary key not null,
  configured_at integer not null,
  held_before integer
) strict, without rowid;

create table runs (
  id text primary key,
  task_id text not null references tasks (id),
  flow_id text not null,
  conversation_id text not null,
  agent text not null,
  runner text not null,
  state text not null,
  reason text,
  pid integer,
  command_line text not null default '[]',
  folder text,
  session_key text,
  session_id text,
  open_with text,
  exit_code integer,
  signal text,
  cost_usd real,
  input_tokens integer,
  output_tokens integer,
  turns integer,
  denials text not null default '[]',
  log_path text,
  reserved_usd real,
  created_at integer not null,
  started_at integer,
  ended_at integer
) strict;
-- The lease: whatever goes wrong, two runs of one conversation can't be stored as running.
create unique index runs_one_per_conversation on runs (conversation_id) where state = 'running';
create unique index runs_one_open_per_task on runs (task_id) where ended_at is null;
create index runs_by_task on runs (task_id, id);
create index runs_by_session on runs (conversation_id, session_key, id) where session_id is not null;
create index runs_by_start on runs (started_at) where started_at is not null;
create index runs_by_flow on runs (flow_id, started_at) where started_at is not null;

create table pruned_runs (
  flow_id text not null,
  state text not null,
  cost_usd real,
  reserved_usd real,
  started_at integer not null
) strict;
create index pruned_runs_by_start on pruned_runs (started_at);

create table budget_notices (
  scope text primary key,
  given_at integer not null
) strict, without rowid;

create table audit (
  id integer primary key autoincrement,
  at integer not null,
  actor_kind text not null,
  actor text not null,
  what text not null,
  target text,
  details text not null,
  revision text
) strict;
create index audit_by_what on audit (what, id);
create index audit_by_revision on audit (revision, id) where revision is not null;
create trigger audit_never_changes before update on audit begin
  select raise(abort, 'the audit is append-only');
end;
create trigger audit_never_shrinks before delete on audit begin
  select raise(abort, 'the audit is append-only');
end;
`;
