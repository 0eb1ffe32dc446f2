import { Hono } from 'hono';
import { z } from 'zod';
import { failure, notFound } from '../../errors.ts';
import { OUTGOING_STATUSES } from '../../types.ts';
import { type OutgoingView, outgoingView } from '../../views.ts';
import { needs } from '../access/needs.ts';
import type { ApiEnv, ApiParts } from './route.ts';
import { ownerField, pageFields, pageOf, parseQuery } from './route.ts';

const ListQuery = z.strictObject({
  ...pageFields,
  ...ownerField,
  status: z.enum(OUTGOING_STATUSES).optional(),
});

/** What its routes validate with. */
export const schemas = { ListQuery };

/** `GET /outbox` (newest first), `POST /outbox/:id/retry`, `POST /outbox/:id/drop`. */
export function outboxRoutes({ context: { store, clock }, outbox }: ApiParts): Hono<ApiEnv> {
  const named = (id: string): OutgoingView => {
    const item = store.outgoing(id);
    if (item !== null) return outgoingView(item);
    throw notFound(`there is no ${id} in the outbox`, 'List it with `hookctl outbox list`.');
  };
  return new Hono<ApiEnv>()
    .get('/outbox', needs('read'), (context) => {
      const { status, owner, limit, cursor } = parseQuery(ListQuery, context);
      const rows = store.outbox({
        limit: limit + 1,
        ...(status && { status }),
        ...(owner && { owner }),
        ...(cursor && { before: cursor }),
      });
      return context.json(pageOf(rows.map(outgoingView), limit, ({ id }) => id));
    })
    .post('/outbox/:id/retry', needs('tasks', 'item'), async (context) => {
      const { id, kind, status } = named(context.req.param('id'));
      if (!(await store.retryOutgoing(id, clock.now()))) {
        throw failure(
          'not_retryable',
          `${id} is ${status}; only what failed or was dropped can be sent again`,
        );
      }
      outbox.wake();
      context.set('change', { what: 'outbox.retry', target: id, details: { kind } });
      return context.json(named(id));
    })
    .post('/outbox/:id/drop', needs('tasks', 'item'), async (context) => {
      const { id, kind, status } = named(context.req.param('id'));
      if (!(await store.dropOutgoing(id, clock.now()))) {
        throw failure('not_droppable', `${id} is ${status} already`);
      }
      context.set('change', { what: 'outbox.drop', target: id, details: { kind } });
      return context.json(named(id));
    });
}
