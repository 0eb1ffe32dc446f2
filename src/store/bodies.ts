import type { CompiledQuery } from 'kysely';
import { compileOnce } from './compile-once.ts';
import { type BodyRow, sqlBuilder } from './schema.ts';

/** Everything that knows where raw bodies live. Rows that lists and the queue read stay small without them. */

/** Stores the bytes of a delivery of the same job; of a duplicate nothing is stored. */
export const storeBody = compileOnce(({ deliveryId, bytes }: { deliveryId: string; bytes: Uint8Array }) => {
  const delivery = sqlBuilder
    .selectFrom('deliveries')
    .select((eb) => ['id', eb.val(bytes).as('bytes')])
    .where('id', '=', deliveryId)
    .where('status', '<>', 'duplicate');
  return sqlBuilder
    .insertInto('bodies')
    .columns(['delivery_id', 'bytes'])
    .expression(delivery)
    .compile() as CompiledQuery<never>;
});

export function bodyOf(deliveryId: string): CompiledQuery<Pick<BodyRow, 'bytes'>> {
  return sqlBuilder.selectFrom('bodies').select('bytes').where('delivery_id', '=', deliveryId).compile();
}
