import type { AgentEvent, AgentEventFilter, Transition } from '../../../types.ts';
import type { AgentEventReader } from '../../tasks.ts';
import { type Sql, where } from '../sql.ts';

const MOST = 100;

export function readAgentEvents(sql: Sql): AgentEventReader {
  return {
    isConsumer: (name) => sql.value('select name from event_consumers where name = ?', [name]) !== null,
    agentEvents(filter) {
      // Both kinds in order, each once: an answer queues its task.
      const rows = [...unacked(sql, filter, IS_QUEUED), ...unacked(sql, filter, IS_NEWS)];
      const byId = new Map(rows.map((row) => [row.id, row]));
      return [...byId.values()].sort((left, right) => left.id - right.id).map(toAgentEvent);
    },
    eventsSince: (transition) =>
      sql
        .all<EventRow>(
          `select step.id, step.task_id as "taskId", step.event, step.actor, step.reason, step.at, 0 as "joinedAfter"
           from task_transitions as step join tasks on tasks.id = step.task_id
           where step.id > ? and ((${IS_QUEUED}) or (${IS_PERSONAL})) order by step.id limit ?`,
          [transition, MOST],
        )
        .map(toAgentEvent),
    newestTransition: () => sql.count('select max(id) from task_transitions'),
  };
}

/** The step that queued a task, as long as it is queued: also of those that waited before an agent listened. */
const IS_QUEUED = `tasks.status = 'queued' and step.id = (
  select max(id) from task_transitions as queuing
  where queuing.task_id = tasks.id and queuing.to_status = 'queued' and queuing.from_status is not 'queued')`;

/** What people did to tasks. */
const IS_PERSONAL = `step.event in ('answer', 'cancel') and step.from_status <> step.to_status
  and step.from_status <> 'waiting_approval'`;

/** The same, since the agent listens. */
const IS_NEWS = `step.id > event_consumers.joined_after and ${IS_PERSONAL}`;

interface EventRow extends Omit<AgentEvent, 'id' | 'kind'>, Pick<Transition, 'event'> {
  readonly id: number;
  readonly joinedAfter: number;
}

function unacked(
  sql: Sql,
  { consumer, agent, owner, conversationId }: AgentEventFilter,
  condition: string,
): readonly EventRow[] {
  const { text, values } = where({
    'event_consumers.name = ?': consumer,
    'tasks.agent = ?': agent,
    'tasks.owner = ?': owner,
    'tasks.conversation_id = ?': conversationId,
    [condition]: true,
    [IS_UNACKED]: true,
  });
  return sql.all<EventRow>(
    `select step.id, step.task_id as "taskId", step.event, step.actor, step.reason, step.at,
       event_consumers.joined_after as "joinedAfter"
     from event_consumers join task_transitions as step on true join tasks on tasks.id = step.task_id
     ${text} order by step.id limit ?`,
    [...values, MOST],
  );
}

const IS_UNACKED = `not exists (
  select 1 from event_acks as ack where ack.consumer = event_consumers.name and ack.transition_id = step.id)`;

function toAgentEvent({ id, event, joinedAfter, ...step }: EventRow): AgentEvent {
  const isNews = id > joinedAfter && (event === 'answer' || event === 'cancel');
  return { ...step, id: `evt-${id}`, kind: isNews ? event : 'task' };
}
