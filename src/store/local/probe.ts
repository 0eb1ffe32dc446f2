import { type CompiledQuery, sql } from 'kysely';
import { SCHEMA_VERSION } from './migrations/index.ts';
import { sqlBuilder } from './tables/builder.ts';

/** Writes the number that stands there already: a page goes the whole way to the disk, and nothing is different. */
export function rewriteSchemaVersion(): CompiledQuery<never> {
  return sql`pragma user_version = ${sql.lit(SCHEMA_VERSION)}`.compile(sqlBuilder) as CompiledQuery<never>;
}
