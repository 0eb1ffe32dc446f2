/**
 * Runs of agents. The first index is the lease: whatever goes wrong, two runs of one conversation can't be stored as
 * running. `reserved_usd`: what a run may cost at most, counted for as long as nobody said what it did cost.
 */
export const runs = `
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
create unique index runs_one_per_conversation on runs (conversation_id) where state = 'running';
create unique index runs_one_open_per_task on runs (task_id) where ended_at is null;
create index runs_by_task on runs (task_id, id);
create index runs_by_session on runs (conversation_id, session_key, id) where session_id is not null;
create index runs_by_start on runs (started_at) where started_at is not null;
create index runs_by_flow on runs (flow_id, started_at) where started_at is not null;

create table budget_notices (
  scope text primary key,
  given_at integer not null
) strict, without rowid;
`;
