import { z } from 'zod';
import { usageError } from '../../errors.ts';

/** `?limit=`: 1 to 200, default 50. `?cursor=`: the `next_cursor` of the page before. */
export const pageFields = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().min(1).optional(),
};

/** How every list of the API is answered. `next_cursor` is null on the last page. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

/**
 * One page out of rows in order, of which one more than `limit` was asked for: so it is known whether another page
 * follows. The cursor is the key of the last item, not a position: what comes or goes meanwhile shifts nothing.
 */
export function pageOf<T>(rows: readonly T[], limit: number, keyOf: (row: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next_cursor: rows.length > limit && last !== undefined ? keyOf(last) : null };
}

/** The query parameters as the schema has them. Throws `usage` (400) on unknown and on wrong ones. */
export function parseQuery<T>(schema: z.ZodType<T>, query: Readonly<Record<string, string>>): T {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  throw usageError(parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; '));
}
