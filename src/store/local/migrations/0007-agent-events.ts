/**
 * Who listens to what happens to tasks, and what each has been told. Events themselves are the tasks' transitions.
 * Ids of transitions only grow, so that `joined_after` splits what came before somebody listened from the rest.
 */
export const agentEvents = `
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
create index task_transitions_news on task_transitions (event, id) where event in ('answer', 'cancel');
`;
