import type { NewAuditEntry } from '../../../types.ts';
import type { Sql } from '../sql.ts';

export function recordAudit(sql: Sql, entries: readonly NewAuditEntry[]): void {
  for (const { at, actor, what, target, details, revision } of entries) {
    sql.run(
      `insert into audit (at, actor_kind, actor, what, target, details, revision)
       values (:at, :kind, :name, :what, :target, :details, :revision)`,
      { at, kind: actor.kind, name: actor.name, what, target, details, revision },
    );
  }
}
