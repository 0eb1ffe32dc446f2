import { Hono } from 'hono';
import { z } from 'zod';
import type { StoreReader } from '../../store/store.ts';
import { OUTGOING_STATUSES } from '../../types.ts';
import { outgoingView } from '../../views.ts';
import type { OperationsFor } from '../operations.ts';
import { pageFields, pageOf, parseQuery } from './bodies.ts';

const ListQuery = z.strictObject({ ...pageFields, status: z.enum(OUTGOING_STATUSES).optional() });

/** What the routes that only look at the outbox read. */
export type OutboxSource = Pick<StoreReader, 'outbox'>;

/** `GET /outbox` (newest first), `POST /outbox/:id/retry`, `POST /outbox/:id/drop`. */
export function outboxRoutes(store: OutboxSource, operationsFor: OperationsFor): Hono {
  return new Hono()
    .get('/outbox', (context) => {
      const { status, limit, cursor } = parseQuery(ListQuery, context.req.query());
      const rows = store.outbox({
        limit: limit + 1,
        ...(status && { status }),
        ...(cursor && { before: cursor }),
      });
      return context.json(pageOf(rows.map(outgoingView), limit, ({ id }) => id));
    })
    .post('/outbox/:id/retry', async (context) =>
      context.json(await operationsFor(context).retryOutgoing(context.req.param('id'))),
    )
    .post('/outbox/:id/drop', async (context) =>
      context.json(await operationsFor(context).dropOutgoing(context.req.param('id'))),
    );
}
