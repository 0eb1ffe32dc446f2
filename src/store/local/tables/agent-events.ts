import { type CompiledQuery, sql } from 'kysely';
import type { AgentEvent, AgentEventFilter } from '../../../types.ts';
import { sqlBuilder } from './builder.ts';
import type { TransitionRow } from './rows.ts';

const MOST = 100;
const PREFIX = 'evt-';

export function consumerNamed(name: string): CompiledQuery<{ name: string }> {
  return sqlBuilder.selectFrom('event_consumers').select('name').where('name', '=', name).compile();
}

export function joinEvents(consumer: string, sinceTask: string | null, at: number): CompiledQuery<never> {
  const newest = sqlBuilder.selectFrom('task_transitions').select((eb) => eb.fn.max('id').as('id'));
  const before =
    sinceTask === null
      ? sql<number>`coalesce((${newest}), 0)`
      : sql<number>`coalesce((select min(id) from task_transitions where task_id = ${sinceTask}), 0)`;
  return sqlBuilder
    .insertInto('event_consumers')
    .values({ name: consumer, joined_after: before, created_at: at })
    .onConflict((conflict) => conflict.doNothing())
    .compile() as CompiledQuery<never>;
}

export function ackEvent(consumer: string, eventId: string): CompiledQuery<{ transition_id: number }> {
  const event = sqlBuilder
    .selectFrom('task_transitions')
    .innerJoin('event_consumers', (join) => join.on('event_consumers.name', '=', consumer))
    .select(['event_consumers.name as consumer', 'task_transitions.id as transition_id'])
    .where('task_transitions.id', '=', numberOf(eventId));
  return (
    sqlBuilder
      .insertInto('event_acks')
      .columns(['consumer', 'transition_id'])
      .expression(event)
      // Not `do nothing`, which returns no row: a second acknowledgement is as good as the first.
      .onConflict((conflict) =>
        conflict.columns(['consumer', 'transition_id']).doUpdateSet((eb) => ({
          transition_id: eb.ref('excluded.transition_id'),
        })),
      )
      .returning('transition_id')
      .compile()
  );
}

export function newestTransition(): CompiledQuery<{ id: number | null }> {
  return sqlBuilder
    .selectFrom('task_transitions')
    .select((eb) => eb.fn.max<number | null>('id').as('id'))
    .compile();
}

type EventRow = Pick<TransitionRow, 'task_id' | 'event' | 'actor' | 'reason' | 'at'> & {
  readonly id: number;
  readonly joined_after: number;
};

/** Queued tasks, by the step that queued them: also those that waited before anybody listened. */
export function queuedEvents(filter: AgentEventFilter): CompiledQuery<EventRow> {
  const queuedBy = sql<number>`(
    select max(id) from task_transitions as step
    where step.task_id = tasks.id and step.to_status = 'queued' and step.from_status is not 'queued'
  )`;
  return unacked(filter)
    .where('tasks.status', '=', 'queued')
    .where('task_transitions.id', '=', queuedBy)
    .orderBy('task_transitions.id')
    .limit(MOST)
    .compile();
}

/** What people did to tasks since somebody listens. */
export function newsEvents(filter: AgentEventFilter): CompiledQuery<EventRow> {
  return (
    unacked(filter)
      .whereRef('task_transitions.id', '>', 'event_consumers.joined_after')
      // Written out: with parameters the index that holds only these would not be used.
      .where(sql<boolean>`task_transitions.event in ('answer', 'cancel')`)
      .whereRef('task_transitions.from_status', '<>', 'task_transitions.to_status')
      .where('task_transitions.from_status', '<>', 'waiting_approval')
      .orderBy('task_transitions.id')
      .limit(MOST)
      .compile()
  );
}

function unacked({ consumer, agent, conversationId }: AgentEventFilter) {
  return sqlBuilder
    .selectFrom('event_consumers')
    .innerJoin('task_transitions', (join) => join.onTrue())
    .innerJoin('tasks', 'tasks.id', 'task_transitions.task_id')
    .select([
      'task_transitions.id',
      'task_transitions.task_id',
      'task_transitions.event',
      'task_transitions.actor',
      'task_transitions.reason',
      'task_transitions.at',
      'event_consumers.joined_after',
    ])
    .where('event_consumers.name', '=', consumer)
    .where((eb) =>
      eb.and([
        ...(agent === undefined ? [] : [eb('tasks.agent', '=', agent)]),
        ...(conversationId === undefined ? [] : [eb('tasks.conversation_id', '=', conversationId)]),
      ]),
    )
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('event_acks')
            .select('event_acks.transition_id')
            .where('event_acks.consumer', '=', consumer)
            .whereRef('event_acks.transition_id', '=', 'task_transitions.id'),
        ),
      ),
    );
}

/** Both kinds in order, each once: an answer queues its task. */
export function toAgentEvents(queued: readonly EventRow[], news: readonly EventRow[]): readonly AgentEvent[] {
  const rows = [...new Map([...queued, ...news].map((row) => [row.id, row])).values()];
  return rows.sort((left, right) => left.id - right.id).map(toAgentEvent);
}

function toAgentEvent({ id, task_id, event, actor, reason, at, joined_after }: EventRow): AgentEvent {
  const isNews = id > joined_after && (event === 'answer' || event === 'cancel');
  return { id: `${PREFIX}${id}`, kind: isNews ? event : 'task', taskId: task_id, actor, reason, at };
}

/** 0, which no transition has, for what is no event id. */
function numberOf(eventId: string): number {
  const digits = /^evt-(\d{1,15})$/.exec(eventId)?.[1];
  return digits === undefined ? 0 : Number(digits);
}
