import type { CompiledQuery, Selectable } from 'kysely';
import type { Actor, AuditEntry, JsonObject, NewAuditEntry } from '../../../types.ts';
import type { AuditFilter } from '../../audit.ts';
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
