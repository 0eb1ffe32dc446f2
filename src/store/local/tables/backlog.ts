import { type CompiledQuery, sql } from 'kysely';
import type { Backlog } from '../../runs.ts';
import { sqlBuilder } from './rows.ts';

/** Whether a queued task waits since before its agent was configured. Joins `known_agents`. */
export const isBacklog = sql<number>`coalesce(tasks.updated_at <= known_agents.held_before, 0)`;

/** Tasks that wait since before their agents were configured. */
export function backlogs(): CompiledQuery<Backlog> {
  return sqlBuilder
    .selectFrom('known_agents')
    .innerJoin('tasks', 'tasks.agent', 'known_agents.name')
    .select((eb) => ['known_agents.name as agent', eb.fn.countAll<number>().as('tasks')])
    .where('known_agents.held_before', 'is not', null)
    .where('tasks.status', '=', 'queued')
    .where(isBacklog, '=', 1)
    .groupBy('known_agents.name')
    .orderBy('known_agents.name')
    .compile();
}

/**
 * Notes which agents are configured now: what is queued for a new one is its backlog. One that is no longer configured is
 * forgotten, and is new again when it comes back.
 */
export function noteAgents(names: readonly string[], now: number): readonly CompiledQuery<never>[] {
  const forget = sqlBuilder.deleteFrom('known_agents');
  return [
    (names.length === 0 ? forget : forget.where('name', 'not in', names)).compile() as CompiledQuery<never>,
    ...names.map(
      (name) =>
        sqlBuilder
          .insertInto('known_agents')
          .values({ name, configured_at: now, held_before: newestQueued(name) })
          .onConflict((conflict) => conflict.column('name').doNothing())
          .compile() as CompiledQuery<never>,
    ),
  ];
}

/** By the tasks' own times, not by the clock: a task that is made from now on must not count. */
function newestQueued(agent: string) {
  return sql<number | null>`(select max(updated_at) from tasks where agent = ${agent} and status = 'queued')`;
}

/** Lets the backlog of an agent run. */
export function releaseBacklog(agent: string): CompiledQuery<{ name: string }> {
  return sqlBuilder
    .updateTable('known_agents')
    .set({ held_before: null })
    .where('name', '=', agent)
    .where('held_before', 'is not', null)
    .returning('name')
    .compile();
}
