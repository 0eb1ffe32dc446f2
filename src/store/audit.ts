import type { AuditEntry } from '../types.ts';

export interface AuditFilter {
  /** `webhook.add`; `webhook` selects all that begin with `webhook.`. */
  readonly what?: string;
  /** Only changes of what belongs to this owner. */
  readonly owner?: string;
  /** Epoch milliseconds: only what was changed then or later. */
  readonly since?: number;
  /** Only lines before this id, newest first (for the next page). */
  readonly before?: number;
  /** Default 50. */
  readonly limit?: number;
}

/** Reads of the audit. */
export interface AuditReader {
  /** Newest first. */
  audit(filter?: AuditFilter): readonly AuditEntry[];
  /** Every kind of recorded change: `webhook.add`, … */
  auditedNames(): readonly string[];
}
