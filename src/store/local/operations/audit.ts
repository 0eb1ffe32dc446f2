import type { NewAuditEntry } from '../../../types.ts';
import type { Sql } from '../sql.ts';

export function recordAudit(sql: Sql, entries: readonly NewAuditEntry[]): void {
  for (const { at, actor, what, owner, target, details, revision } of entries) {
    sql.run(
      `insert into audit (at, actor_kind, actor, what, owner, target, details, revision)
       values (:at, :kind, :name, :what, :owner, :target, :details, :revision)`,
      { at, kind: actor.kind, name: actor.name, what, owner, target, details, revision },
    );
  }
}
