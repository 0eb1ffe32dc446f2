import { Hono, type MiddlewareHandler } from 'hono';
import { z } from 'zod';
import type { AuditReader } from '../../store/audit.ts';
import type { Actor } from '../../types.ts';
import { auditView } from '../../views.ts';
import {
  type ApiEnv,
  type AuditedChange,
  actorOf,
  ownerField,
  pageFields,
  pageOf,
  parseQuery,
} from './route.ts';

/** Puts what a request changed on record before it is answered. What was refused or failed changed nothing. */
export function audited(
  record: (change: AuditedChange, actor: Actor) => Promise<void>,
): MiddlewareHandler<ApiEnv> {
  return async (context, next) => {
    await next();
    const { method, path } = context.req;
    if (['GET', 'HEAD'].includes(method) || !context.res.ok) return;
    const change = context.get('change');
    if (change === undefined) throw new Error(`${method} ${path} does not say what it changes`);
    if (change !== null) await record(change, actorOf(context));
  };
}

const ListQuery = z.strictObject({
  ...pageFields,
  ...ownerField,
  cursor: z.coerce.number().int().min(1).optional(),
  what: z.string().min(1).optional(),
  since: z.iso
    .datetime({ offset: true, error: 'expected a time in ISO 8601' })
    .transform((text) => Date.parse(text))
    .optional(),
});

/** What its routes validate with. */
export const schemas = { ListQuery };

/** `GET /audit` (newest first): who changed what. */
export function auditRoutes(store: Pick<AuditReader, 'audit'>): Hono<ApiEnv> {
  return new Hono<ApiEnv>().get('/audit', (context) => {
    const { limit, cursor, owner, what, since } = parseQuery(ListQuery, context);
    const rows = store.audit({
      limit: limit + 1,
      ...(cursor !== undefined && { before: cursor }),
      ...(owner !== undefined && { owner }),
      ...(what !== undefined && { what }),
      ...(since !== undefined && { since }),
    });
    return context.json(pageOf(rows.map(auditView), limit, ({ id }) => String(id)));
  });
}
