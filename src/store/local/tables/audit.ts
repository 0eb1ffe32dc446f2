import type { Actor, AuditEntry } from '../../../types.ts';
import type { AuditFilter, AuditReader } from '../../audit.ts';
import { page, type Query, type Sql } from '../sql.ts';
import { ownerIs } from './search.ts';

/** A row of `audit`. SQLite gives the ids, in the order of recording. */
interface AuditRow extends Omit<AuditEntry, 'actor' | 'details'> {
  readonly actor_kind: Actor['kind'];
  readonly actor: string;
  /** JSON object. */
  readonly details: string;
}

export function readAudit(sql: Sql): AuditReader {
  return {
    audit(filter = {}) {
      const { text, values } = listAudit(filter);
      return sql.all<AuditRow>(`select * from audit ${text}`, values).map(toAuditEntry);
    },
    auditedNames: () => sql.column('select distinct what from audit order by what'),
  };
}

export function listAudit({ what, owner, since, ...range }: AuditFilter): Query {
  const conditions = {
    // The index gives all that begins so, `/` follows `.`; of those a whole word has to be the same.
    'what >= ?': what,
    'what < ?': what === undefined ? undefined : `${what}/`,
    "instr(what || '.', ?) = 1": what === undefined ? undefined : `${what}.`,
    [ownerIs(owner)]: owner,
    'at >= ?': since,
  };
  return page(conditions, range);
}

function toAuditEntry({ actor_kind: kind, actor: name, details, ...row }: AuditRow): AuditEntry {
  return { ...row, actor: { kind, name }, details: JSON.parse(details) };
}
