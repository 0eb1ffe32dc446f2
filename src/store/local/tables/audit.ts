import type { Actor, AuditEntry } from '../../../types.ts';
import type { AuditFilter, AuditReader } from '../../audit.ts';
import { PAGE_SIZE, type Query, type Sql, where } from '../sql.ts';

/** A row of `audit`. SQLite gives the ids, in the order of recording. */
interface AuditRow {
  readonly id: number;
  readonly at: number;
  readonly actor_kind: Actor['kind'];
  readonly actor: string;
  readonly what: string;
  readonly target: string | null;
  /** JSON object. */
  readonly details: string;
  readonly revision: string | null;
}

export function readAudit(sql: Sql): AuditReader {
  return {
    audit(filter = {}) {
      const { text, values } = listAudit(filter);
      return sql.all<AuditRow>(text, values).map(toAuditEntry);
    },
    auditedNames: () =>
      sql.all<{ what: string }>('select distinct what from audit order by what').map(({ what }) => what),
  };
}

export function listAudit({ what, since, before, limit = PAGE_SIZE }: AuditFilter): Query {
  const { text, values } = where({
    // The index gives all that begins so, `/` follows `.`; of those a whole word has to be the same.
    'what >= ?': what,
    'what < ?': what === undefined ? undefined : `${what}/`,
    "instr(what || '.', ?) = 1": what === undefined ? undefined : `${what}.`,
    'at >= ?': since,
    'id < ?': before,
  });
  return { text: `select * from audit ${text} order by id desc limit ?`, values: [...values, limit] };
}

function toAuditEntry(row: AuditRow): AuditEntry {
  return {
    id: row.id,
    at: row.at,
    actor: { kind: row.actor_kind, name: row.actor },
    what: row.what,
    target: row.target,
    details: JSON.parse(row.details),
    revision: row.revision,
  };
}
