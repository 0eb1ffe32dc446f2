/** What a task takes and came to, what it waits for, and its history. */
export const tasks = `
alter table tasks add column source text not null default 'webhook';
alter table tasks add column depends_on text not null default '[]';
alter table tasks add column cost_usd real;
alter table tasks add column input_tokens integer;
alter table tasks add column output_tokens integer;
alter table tasks add column duration_ms integer;
alter table tasks add column started_at integer;
update tasks set source = coalesce((select provider from deliveries where id = tasks.delivery_id), source);
create index tasks_by_conversation on tasks (conversation_id, id);
create index tasks_dependent on tasks (id) where completed_at is null and depends_on <> '[]';
create index conversations_by_flow on conversations (flow_id, id);

create table task_transitions (
  id integer primary key,
  task_id text not null references tasks (id),
  event text not null,
  from_status text,
  to_status text not null,
  actor text not null,
  reason text,
  at integer not null
) strict;
create index task_transitions_by_task on task_transitions (task_id, id);
insert into task_transitions (task_id, event, to_status, actor, at)
  select id, 'create', status, source, created_at from tasks order by id;
`;
