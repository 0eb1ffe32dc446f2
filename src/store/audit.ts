import type { AuditEntry } from '../types.ts';

export interface AuditFilter {
  /** `webhook.add`; `webhook` stands for all that begins with `webhook.`. */
  readonly what?: string;
  /** Epoch milliseconds: only what was changed then or later. */
  readonly since?: number;
  /** Only lines before this id, newest first (for the next page). */
  readonly before?: number;
  /** Default 50. */
  readonly limit?: number;
}

/** What looks into the audit. */
export interface AuditReader {
  /** Newest first. */
  audit(filter?: AuditFilter): readonly AuditEntry[];
  /** Every kind of change that is on record: `webhook.add`, … */
  auditedNames(): readonly string[];
}
