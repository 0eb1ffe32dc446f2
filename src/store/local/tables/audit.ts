import type { CompiledQuery, Selectable } from 'kysely';
import type { Actor, AuditEntry, JsonObject, NewAuditEntry } from '../../../types.ts';
import type { AuditedRevision, AuditFilter } from '../../audit.ts';
import { PAGE_SIZE, sqlBuilder } from './builder.ts';
import type { AuditRow } from './rows.ts';

export function insertAudit(entry: NewAuditEntry): CompiledQuery<never> {
  return sqlBuilder
    .insertInto('audit')
    .values({
      at: entry.at,
      actor_kind: entry.actor.kind,
      actor: entry.actor.name,
      what: entry.what,
      target: entry.target,
      details: JSON.stringify(entry.details),
      revision: entry.revision,
    })
    .compile() as CompiledQuery<never>;
}

export function listAudit({
  what,
  since,
  before,
  limit = PAGE_SIZE,
}: AuditFilter): CompiledQuery<Selectable<AuditRow>> {
  return sqlBuilder
    .selectFrom('audit')
    .selectAll()
    .where((eb) =>
      eb.and([
        // All that begins with `webhook.`: `/` follows `.`.
        ...(what === undefined
          ? []
          : [
              eb.or([
                eb('what', '=', what),
                eb.and([eb('what', '>', `${what}.`), eb('what', '<', `${what}/`)]),
              ]),
            ]),
        ...(since === undefined ? [] : [eb('at', '>=', since)]),
        ...(before === undefined ? [] : [eb('id', '<', before)]),
      ]),
    )
    .orderBy('id', 'desc')
    .limit(limit)
    .compile();
}

export function auditedRevisions(limit: number): CompiledQuery<{ id: number; revision: string | null }> {
  return sqlBuilder
    .selectFrom('audit')
    .select(['id', 'revision'])
    .where('revision', 'is not', null)
    .orderBy('id', 'desc')
    .limit(limit)
    .compile();
}

export function auditOfRevision(revision: string, after: number): CompiledQuery<{ id: number | null }> {
  return sqlBuilder
    .selectFrom('audit')
    .select((eb) => eb.fn.min('id').as('id'))
    .where('revision', '=', revision)
    .where('id', '>', after)
    .compile();
}

/** Every kind of change that is on record. */
export function auditedNames(): CompiledQuery<{ what: string }> {
  return sqlBuilder.selectFrom('audit').select('what').distinct().orderBy('what').compile();
}

export function toAuditEntry(row: Selectable<AuditRow>): AuditEntry {
  return {
    id: row.id,
    at: row.at,
    actor: { kind: row.actor_kind as Actor['kind'], name: row.actor },
    what: row.what,
    target: row.target,
    details: JSON.parse(row.details) as JsonObject,
    revision: row.revision,
  };
}

export function toAuditedRevision(row: { id: number; revision: string | null }): AuditedRevision {
  return { id: row.id, revision: row.revision ?? '' };
}
