import { type CompiledQuery, sql } from 'kysely';
import type { DeliveryOutcome, FlowAlias } from '../../store.ts';
import { compileOnce } from './builder.ts';
import { type FlowAliasRow, sqlBuilder } from './rows.ts';

/** The aliases among these names. */
export function aliasesNamed(names: readonly string[]): CompiledQuery<FlowAliasRow> {
  return selectNamed({ names: JSON.stringify(names) });
}

const selectNamed = compileOnce(({ names }: { readonly names: string }) =>
  sqlBuilder
    .selectFrom('flow_aliases')
    .selectAll()
    .where(sql<boolean>`alias in (select value from json_each(${names}))`)
    .compile(),
);

/** All aliases of a flow. */
export const aliasesOfFlow = compileOnce(({ flowId }: { readonly flowId: string }) =>
  sqlBuilder.selectFrom('flow_aliases').selectAll().where('flow_id', '=', flowId).compile(),
);

/** Adds a name to a flow that exists; one that is taken stays with its flow. */
export function insertAlias(
  { alias, flowId, stable }: FlowAlias,
  { deliveryId, settledAt }: DeliveryOutcome,
): CompiledQuery<never> {
  return insert({ alias, flowId, stable: stable ? 1 : 0, deliveryId, settledAt });
}

interface AliasValues extends Pick<FlowAlias, 'alias' | 'flowId'> {
  readonly stable: number;
  readonly deliveryId: string;
  readonly settledAt: number;
}

const insert = compileOnce(({ alias, flowId, stable, deliveryId, settledAt }: AliasValues) => {
  const row = sqlBuilder
    .selectFrom('deliveries')
    .innerJoin('flows', (join) => join.on('flows.id', '=', flowId))
    .select((eb) => [
      eb.val(alias).as('alias'),
      'flows.id as flow_id',
      eb.val(stable).as('stable'),
      eb.val(settledAt).as('created_at'),
    ])
    .where('deliveries.id', '=', deliveryId)
    .where('deliveries.status', '=', 'pending');
  return sqlBuilder
    .insertInto('flow_aliases')
    .columns(['alias', 'flow_id', 'stable', 'created_at'])
    .expression(row)
    .onConflict((conflict) => conflict.column('alias').doNothing())
    .compile() as CompiledQuery<never>;
});
