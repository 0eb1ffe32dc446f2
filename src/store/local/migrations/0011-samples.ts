/**
 * Deliveries that `hookctl trigger` made, and their tasks; indexes by which tasks are removed with those they initiated. Ids of
 * transitions only grow, also after the newest is removed. `pruned_runs`: what budgets still count of runs that are gone.
 */
export const samples = `
alter table deliveries add column sample integer;
create index deliveries_samples on deliveries (id) where sample = 1;
alter table tasks add column sample integer not null default 0;
create index tasks_samples on tasks (id) where sample = 1;
create index tasks_by_initiator on tasks (initiated_task_id, completed_at);
create index tasks_by_parent on tasks (parent_task_id) where parent_task_id is not null;

create table pruned_runs (
  flow_id text not null,
  state text not null,
  cost_usd real,
  reserved_usd real,
  started_at integer not null
) strict;
create index pruned_runs_by_start on pruned_runs (started_at);

drop index task_transitions_by_task;
drop index task_transitions_news;
drop index event_acks_by_transition;
alter table event_acks rename to former_acks;
alter table task_transitions rename to former_transitions;
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
insert into task_transitions select id, task_id, event, from_status, to_status, actor, reason, at
  from former_transitions order by id;
create table event_acks (
  consumer text not null references event_consumers (name) on delete cascade,
  transition_id integer not null references task_transitions (id) on delete cascade,
  primary key (consumer, transition_id)
) strict, without rowid;
insert into event_acks select consumer, transition_id from former_acks;
drop table former_acks;
drop table former_transitions;
create index task_transitions_by_task on task_transitions (task_id, id);
create index task_transitions_news on task_transitions (event, id) where event in ('answer', 'cancel');
create index event_acks_by_transition on event_acks (transition_id);
`;
