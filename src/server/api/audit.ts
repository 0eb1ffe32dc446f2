import { Hono } from 'hono';
import { z } from 'zod';
import type { AuditReader } from '../../store/audit.ts';
import { auditView } from '../../views.ts';
import { pageFields, pageOf, parseQuery } from './bodies.ts';

const ListQuery = z.strictObject({
  ...pageFields,
  cursor: z.coerce.number().int().min(1).optional(),
  what: z.string().min(1).optional(),
  since: z.iso
    .datetime({ offset: true, error: 'expected a time in ISO 8601' })
    .transform((text) => Date.parse(text))
    .optional(),
});

/** `GET /audit` (newest first): who changed what. */
export function auditRoutes(store: Pick<AuditReader, 'audit'>): Hono {
  return new Hono().get('/audit', (context) => {
    const { limit, cursor, what, since } = parseQuery(ListQuery, context.req.query());
    const rows = store.audit({
      limit: limit + 1,
      ...(cursor !== undefined && { before: cursor }),
      ...(what !== undefined && { what }),
      ...(since !== undefined && { since }),
    });
    return context.json(pageOf(rows.map(auditView), limit, ({ id }) => String(id)));
  });
}
