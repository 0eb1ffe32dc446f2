import { Hono } from 'hono';
import { z } from 'zod';
import { type Replayed, replay, replayMany, retry, storedSource } from '../../deliveries/replay.ts';
import { prune } from '../../deliveries/retention.ts';
import { notFound } from '../../errors.ts';
import { findPage } from '../../store/search.ts';
import type { StoreReader } from '../../store/store.ts';
import { DELIVERY_STATUSES, type Delivery, type DeliveryStatus, type Task } from '../../types.ts';
import { type DeliveryView, deliveryView, exportedDelivery, isoOrNull, taskView } from '../../views.ts';
import { needs, requireOwn } from '../access/needs.ts';
import type { ApiEnv, ApiParts } from './route.ts';
import {
  ownerField,
  type Page,
  pageFields,
  pageOf,
  parseQuery,
  readBody,
  searchFields,
  searchFilter,
} from './route.ts';

const ListQuery = z.strictObject({
  ...pageFields,
  ...searchFields,
  status: z.enum(DELIVERY_STATUSES).optional(),
  webhook: z.string().optional(),
  ...ownerField,
});

/** What became of a delivery, and the tasks that it made. */
export type DispatchView = ReturnType<typeof dispatchView>;

function dispatchView({ delivery, tasks }: { readonly delivery: Delivery; readonly tasks: readonly Task[] }) {
  return { delivery: deliveryView(delivery), tasks: tasks.map(taskView) };
}

/** What became of one of many that were replayed: short, because there may be 100,000. */
export interface ReplayedView {
  readonly replay_of: string;
  /** The new delivery; null when the old one could not be replayed. */
  readonly delivery_id: string | null;
  readonly status: DeliveryStatus | 'refused';
  readonly reason: string | null;
  readonly task_ids: readonly string[];
}

function replayedView(replayed: Replayed): ReplayedView {
  const { source } = replayed;
  if ('refused' in replayed) {
    return {
      replay_of: source,
      delivery_id: null,
      status: 'refused',
      reason: replayed.refused,
      task_ids: [],
    };
  }
  const { delivery, tasks } = replayed.result;
  const { id, status, reason } = delivery;
  return { replay_of: source, delivery_id: id, status, reason, task_ids: tasks.map((task) => task.id) };
}

/** How a stored request fared elsewhere. */
export interface SentView {
  readonly to: string;
  /** HTTP status; null when there was no response. */
  readonly status: number | null;
  /** Why there was no response, or not an accepted one. */
  readonly error: string | null;
}

/** What `delivery prune` removed, or would remove. */
export interface PrunedView {
  readonly deliveries: number;
  /** As received. */
  readonly bytes: number;
  /** That the disk got back. */
  readonly freed_bytes: number;
}

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
  ...ownerField,
  /** Owners whose deliveries stay. */
  except_owners: z.array(z.string()).optional(),
  /** Bytes of the log of bodies beyond which the oldest go as well; null for no limit. */
  size: z.int().min(0).nullable().default(null),
});

const Send = z.strictObject({
  /** The URL to which its request goes, as it came. */
  to: z.string().min(1).max(2_000),
  /** Sign it anew with the secret of its webhook: its own proof may be too old by now. */
  resign: z.boolean().default(false),
});

const ReplayFile = z.strictObject({
  webhook: z.string(),
  headers: z.record(z.string(), z.string()),
  query: z.string().default(''),
  body_base64: z.base64(),
  replies: z.boolean().default(false),
  sample: z.boolean().default(false),
});

/** What its routes validate with. */
export const schemas = { ListQuery, Replay, ReplayMany, Prune, ReplayFile, Send };

/**
 * `GET /deliveries` (newest first), `GET /deliveries/:id` (with headers and bytes, as `delivery show --json`),
 * `POST /deliveries/:id/retry|replay`, `POST /deliveries/:id/send` to another URL, `POST /deliveries/replay` for many, `POST /deliveries/prune`, and `POST /replays`
 * for the bytes of a file.
 */
export function deliveryRoutes({ context: pipeline, queue, dataFolder }: ApiParts): Hono<ApiEnv> {
  const { store } = pipeline;
  return new Hono<ApiEnv>()
    .get('/deliveries', needs('read'), async (context) => {
      const { limit, cursor, status, webhook, owner, ...search } = parseQuery(ListQuery, context);
      const { rows, next } = await findPage({
        ...{ store, list: 'deliveries', rows: store.deliveries, limit },
        filter: {
          ...searchFilter(search),
          ...(cursor && { before: cursor }),
          ...(status && { status }),
          ...(webhook && { webhook }),
          ...(owner && { owner }),
        },
      });
      return context.json({ items: rows.map(deliveryView), next_cursor: next } satisfies Page<DeliveryView>);
    })
    .get('/deliveries/:id', needs('read', 'delivery'), (context) => {
      const id = context.req.param('id');
      const delivery = store.delivery(id);
      if (delivery === null) throw notFound(`there is no delivery ${id}`);
      return context.json(exportedDelivery(delivery, store.body(id)));
    })
    .post('/deliveries/:id/retry', needs('tasks', 'delivery'), async (context) => {
      const id = context.req.param('id');
      const result = dispatchView(await retry(pipeline, queue, id, dataFolder));
      const { status } = result.delivery;
      context.set('change', { what: 'delivery.retry', target: id, details: { status } });
      return context.json(result);
    })
    .post('/deliveries/:id/replay', needs('tasks', 'delivery'), async (context) => {
      const id = context.req.param('id');
      const { replies } = await readBody(Replay, context);
      const source = storedSource(store, id, dataFolder);
      const result = dispatchView(await replay(pipeline, queue, source, replies));
      const details = { delivery: result.delivery.id, replies };
      context.set('change', { what: 'delivery.replay', target: id, details });
      return context.json(result, 201);
    })
    .post('/deliveries/:id/send', async (context) => {
      const id = context.req.param('id');
      const { to, resign } = await readBody(Send, context);
      const { createPoster, pathOf, targetOf } = await import('../../deliveries/elsewhere/poster.ts');
      const { createResigner } = await import('../../deliveries/elsewhere/resign.ts');
      const target = targetOf(to);
      const { webhookName, request } = storedSource(store, id, dataFolder);
      const url = target.origin + pathOf(target, request.query);
      const sent = resign ? createResigner(pipeline)(webhookName, request, url) : request;
      const poster = await createPoster(target, 1);
      const answer = await poster.post(sent).finally(poster.close);
      context.set('change', { what: 'delivery.send', target: id, details: { to: target.origin, ...answer } });
      return context.json({ to: target.href, ...answer } satisfies SentView);
    })
    .post('/deliveries/replay', needs('tasks'), async (context) => {
      const { ids, replies } = await readBody(ReplayMany, context);
      await requireOwn(context, 'delivery', ids);
      const replayed = await replayMany(pipeline, queue, ids, { replies, where: dataFolder });
      const details = { deliveries: ids.length, first: ids[0] ?? null, last: ids.at(-1) ?? null, replies };
      context.set('change', { what: 'delivery.replay_many', target: null, details });
      return context.json({ items: replayed.map(replayedView) }, 201);
    })
    .post('/deliveries/prune', async (context) => {
      const { before, samples, size, owner, except_owners: exceptOwners } = await readBody(Prune, context);
      const filter = {
        ...{ before: before === null ? null : Date.parse(before), samples },
        ...(owner !== undefined && { owner }),
        ...(exceptOwners !== undefined && { exceptOwners }),
      };
      const { deliveries, bytes, freedBytes } = await prune(pipeline, [filter], { size });
      const details = {
        ...{ before: isoOrNull(filter.before), samples, size, deliveries, bytes },
        ...(owner !== undefined && { owner }),
      };
      context.set('change', { what: 'delivery.prune', target: null, details });
      return context.json({ deliveries, bytes, freed_bytes: freedBytes } satisfies PrunedView);
    })
    .post('/replays', needs('tasks'), async (context) => {
      const { replies, sample, ...file } = await readBody(ReplayFile, context);
      await requireOwn(context, 'webhook', [file.webhook]);
      const request = {
        headers: file.headers,
        query: file.query,
        body: Buffer.from(file.body_base64, 'base64'),
      };
      const source = {
        deliveryId: null,
        webhookName: file.webhook,
        request,
        trust: 'operator',
        sample,
      } as const;
      const result = dispatchView(await replay(pipeline, queue, source, replies));
      const details = { webhook: file.webhook, replies };
      context.set('change', { what: 'delivery.replay_file', target: result.delivery.id, details });
      return context.json(result, 201);
    });
}

/** One page of the deliveries to a webhook, of all or of one owner, newest first. The cursor is the id of the last one. */
export function deliveryPage(
  store: Pick<StoreReader, 'deliveries'>,
  { webhook, owner }: { readonly webhook: string; readonly owner: string | undefined },
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): Page<DeliveryView> {
  const rows = store.deliveries({
    webhook,
    ...(owner && { owner }),
    limit: limit + 1,
    ...(cursor && { before: cursor }),
  });
  return pageOf(rows.map(deliveryView), limit, ({ id }) => id);
}
