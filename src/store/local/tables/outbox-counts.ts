import type { CompiledQuery } from 'kysely';
import type { OutgoingStatus } from '../../../types.ts';
import { sqlBuilder } from './rows.ts';

/** How many of what leaves are in each state. Answered from an index alone. */
export function countOutgoing(): CompiledQuery<{ status: OutgoingStatus; count: number }> {
  return sqlBuilder
    .selectFrom('outbox')
    .select((eb) => ['status', eb.fn.countAll<number>().as('count')])
    .groupBy('status')
    .compile();
}
