import { Hono } from 'hono';
import { z } from 'zod';
import { notFound } from '../../errors.ts';
import type { DeliveryFilter, StoreReader } from '../../store/store.ts';
import { DELIVERY_STATUSES } from '../../types.ts';
import { type DeliveryView, deliveryView, exportedDelivery } from '../../views.ts';
import type { OperationsFor } from '../operations.ts';
import { type Page, pageFields, pageOf, parseQuery, readBody } from './bodies.ts';

const ListQuery = z.strictObject({
  ...pageFields,
  status: z.enum(DELIVERY_STATUSES).optional(),
  webhook: z.string().optional(),
});

const Replay = z.strictObject({ replies: z.boolean().default(false) });

/** As many as one answer can hold without a sender of requests waiting long for it. */
const ReplayMany = z.strictObject({
  ids: z.array(z.string()).min(1).max(500),
  replies: z.boolean().default(false),
});

const Prune = z.strictObject({
  /** Null for any age. */
  before: z.iso.datetime({ offset: true }).nullable(),
  samples: z.boolean().default(false),
  /** Bytes of the log of bodies beyond which the oldest go as well; null: no limit. */
  size: z.int().min(0).nullable().default(null),
});

const ReplayFile = z.strictObject({
  webhook: z.string(),
  headers: z.record(z.string(), z.string()),
  query: z.string().default(''),
  body_base64: z.base64(),
  replies: z.boolean().default(false),
  sample: z.boolean().default(false),
});

/** What the routes that only look at deliveries read. */
export type DeliverySource = Pick<StoreReader, 'delivery' | 'deliveries' | 'body'>;

/**
 * `GET /deliveries` (newest first), `GET /deliveries/:id` (with headers and bytes, as `delivery show --json`),
 * `POST /deliveries/:id/retry|replay`, `POST /deliveries/replay` for many, and `POST /replays` for the bytes of a file.
 */
export function deliveryRoutes(store: DeliverySource, operationsFor: OperationsFor): Hono {
  return new Hono()
    .get('/deliveries', (context) => {
      const { status, webhook, ...page } = parseQuery(ListQuery, context.req.query());
      return context.json(
        deliveryPage(store, { ...(status && { status }), ...(webhook && { webhook }) }, page),
      );
    })
    .get('/deliveries/:id', (context) => {
      const id = context.req.param('id');
      const delivery = store.delivery(id);
      if (delivery === null) throw notFound(`there is no delivery ${id}`);
      return context.json(exportedDelivery(delivery, store.body(id)));
    })
    .post('/deliveries/:id/retry', async (context) =>
      context.json(await operationsFor(context).retry(context.req.param('id'))),
    )
    .post('/deliveries/:id/replay', async (context) => {
      const { replies } = await readBody(Replay, context);
      return context.json(await operationsFor(context).replay(context.req.param('id'), replies), 201);
    })
    .post('/deliveries/replay', async (context) => {
      const { ids, replies } = await readBody(ReplayMany, context);
      return context.json({ items: await operationsFor(context).replayMany(ids, replies) }, 201);
    })
    .post('/deliveries/prune', async (context) => {
      const { before, ...limits } = await readBody(Prune, context);
      const moment = before === null ? null : Date.parse(before);
      return context.json(await operationsFor(context).prune({ before: moment, ...limits }));
    })
    .post('/replays', async (context) => {
      const file = await readBody(ReplayFile, context);
      const request = {
        headers: file.headers,
        query: file.query,
        body: Buffer.from(file.body_base64, 'base64'),
      };
      const { webhook: webhookName, sample } = file;
      const source = { deliveryId: null, webhookName, request, trust: 'operator', sample } as const;
      return context.json(await operationsFor(context).replayFile(source, file.replies), 201);
    });
}

/** One page of the deliveries that fit, newest first. The cursor is the id of the last one. */
export function deliveryPage(
  store: Pick<StoreReader, 'deliveries'>,
  filter: Pick<DeliveryFilter, 'status' | 'webhook'>,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): Page<DeliveryView> {
  const rows = store.deliveries({ ...filter, limit: limit + 1, ...(cursor && { before: cursor }) });
  return pageOf(rows.map(deliveryView), limit, ({ id }) => id);
}
