import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { Change } from '../../config/dynamic/change.ts';
import {
  addCommand,
  addWebhook,
  importWebhooks,
  mergeWebhook,
  removeCommand,
  removeWebhook,
  rotateSecret,
  setEnabled,
  updateCommand,
  updateWebhook,
} from '../../config/dynamic/edit.ts';
import { dynamicWebhook, findWebhook, removedSince } from '../../config/dynamic/find.ts';
import { lintCommand, lintWebhooks } from '../../config/lint.ts';
import { failure } from '../../errors.ts';
import { snakeKeys } from '../../lib/case.ts';
import type { Webhook } from '../../types.ts';
import { ownChange } from '../access/changes.ts';
import { admitted, needs, ownerMade } from '../access/needs.ts';
import { commandView } from '../webhook-view.ts';
import { deliveryPage } from './deliveries.ts';
import {
  type ApiEnv,
  actorOf,
  answerError,
  ownerAsking,
  ownerField,
  pageFields,
  pageOf,
  parseQuery,
  readBody,
  readJson,
} from './route.ts';
import type { WebhookAdmin } from './webhook-admin.ts';

const ListQuery = z.strictObject(pageFields);
const WebhookQuery = z.strictObject({ ...pageFields, ...ownerField, label: z.string().min(1).optional() });

const DAY_MS = 86_400_000;
const Rotation = z.strictObject({
  overlap_ms: z.int().min(0).default(DAY_MS),
  secret: z.unknown().optional(),
});
/** Longest time for which one request awaits a handshake. */
const HOUR_MS = 3_600_000;
const Awaiting = z.strictObject({ timeout_ms: z.int().min(1).max(HOUR_MS).default(600_000) });
/** What `webhook import` reads from a file, which may be anything. */
const Import = z.strictObject({ content: z.unknown() });

/** What its routes validate with. */
export const schemas = { WebhookQuery, ListQuery, Rotation, Awaiting, Import };

/** The API of webhooks alone, for a command that changes `webhooks.json` without the data folder's lock. */
export function webhookApi(admin: WebhookAdmin, onError: (error: unknown) => void): Hono<ApiEnv> {
  const api = new Hono<ApiEnv>().basePath('/api');
  // Only the user of the data folder gets here.
  api.use(admitted({ has: async () => false }));
  return api.route('/', webhookRoutes(admin)).onError(answerError(onError));
}

/**
 * `GET|POST /webhooks`, `GET|PUT|PATCH|DELETE /webhooks/:id`, and below it `enable`, `disable`, `rotate-secret`, `await`,
 * `deliveries` and `commands`. `PUT` replaces the fields that it names, `PATCH` merges `allow` and `options`. An id is
 * that of a dynamic webhook, or a name. A write is answered when it is in force. No answer holds a secret, except to the
 * request that had it made.
 */
export function webhookRoutes(admin: WebhookAdmin): Hono<ApiEnv> {
  const inForce = (id: string) => dynamicWebhook(admin.snapshot().webhooks, id);
  const named = (ref: string) => findWebhook(admin.snapshot().webhooks, ref);
  const shown = (context: Context<ApiEnv>, webhook: Webhook) =>
    admin.views([webhook], ownerAsking(context))[0];
  const changed = async (context: Context<ApiEnv>, id: string) => {
    const webhook = inForce(id);
    return { ...shown(context, webhook), ...withNotes(await lintWebhooks([webhook])) };
  };
  /** The db records its own edits, because each of them can be several changes. */
  const edited = <T>(context: Context<ApiEnv>, change: Change<T>): Promise<T> => {
    context.set('change', null);
    const owner = ownerAsking(context);
    return admin.change(
      owner === undefined ? change : ownChange({ owner, listed: admin.actionsOf(owner) }, change),
      actorOf(context),
    );
  };
  const switched = async (context: Context<ApiEnv>, ref: string, enabled: boolean) => {
    const { webhook } = await edited(context, setEnabled(ref, enabled));
    return context.json(shown(context, inForce(webhook.webhook_id)));
  };

  return new Hono<ApiEnv>()
    .get('/webhooks', needs('read'), (context) => {
      const { limit, cursor = '', owner, label } = parseQuery(WebhookQuery, context);
      const all = admin
        .byName()
        .filter((webhook) => owner === undefined || webhook.owner === owner)
        .filter(({ labels }) => label === undefined || labels.includes(label));
      const first = all.findIndex(({ name }) => name > cursor);
      const rows = first < 0 ? [] : all.slice(first, first + limit + 1);
      const page = pageOf(rows, limit, ({ name }) => name);
      return context.json({ ...page, items: admin.views(page.items, ownerAsking(context)) });
    })
    .post('/webhooks', needs('webhooks'), async (context) => {
      const body = await readJson(context);
      const owner = ownerMade(context, typeof body.owner === 'string' ? body.owner : undefined);
      const change = addWebhook({ ...body, ...(owner !== undefined && { owner }) });
      const { webhook, generatedSecret } = await edited(context, change);
      context.header('location', `/api/webhooks/${webhook.webhook_id}`);
      return context.json(
        { ...(await changed(context, webhook.webhook_id)), ...withSecret(generatedSecret) },
        201,
      );
    })
    .post('/webhooks/import', async (context) => {
      const { content } = await readBody(Import, context);
      const imported = await edited(context, importWebhooks(content));
      return context.json(
        imported.map(({ outcome, webhook, generatedSecret }) => ({
          ...{ outcome, webhook: shown(context, inForce(webhook.webhook_id)) },
          ...withSecret(generatedSecret),
        })),
      );
    })
    .post('/webhooks/restore', async (context) => {
      context.set('change', null);
      return context.json(await admin.restore(actorOf(context)));
    })
    .get('/webhooks/:id', needs('read', 'webhook'), (context) =>
      context.json(shown(context, named(context.req.param('id')))),
    )
    .put('/webhooks/:id', needs('webhooks', 'webhook'), async (context) => {
      const change = updateWebhook(context.req.param('id'), await readJson(context));
      return context.json(await changed(context, (await edited(context, change)).webhook.webhook_id));
    })
    .patch('/webhooks/:id', needs('webhooks', 'webhook'), async (context) => {
      const change = mergeWebhook(context.req.param('id'), await readJson(context));
      return context.json(await changed(context, (await edited(context, change)).webhook.webhook_id));
    })
    .delete('/webhooks/:id', needs('webhooks', 'webhook'), async (context) => {
      await edited(context, removeWebhook(context.req.param('id')));
      return context.body(null, 204);
    })
    .post('/webhooks/:id/enable', needs('webhooks', 'webhook'), (context) =>
      switched(context, context.req.param('id'), true),
    )
    .post('/webhooks/:id/disable', needs('webhooks', 'webhook'), (context) =>
      switched(context, context.req.param('id'), false),
    )
    .post('/webhooks/:id/rotate-secret', needs('webhooks', 'webhook'), async (context) => {
      const { overlap_ms: overlapMs, secret } = await readBody(Rotation, context);
      const change = rotateSecret(context.req.param('id'), { overlapMs, secret });
      const { webhook, generatedSecret, retiring } = await edited(context, change);
      return context.json({
        ...shown(context, inForce(webhook.webhook_id)),
        former_secret_expires_at: retiring[0]?.expires_at ?? null,
        ...withSecret(generatedSecret),
      });
    })
    .post('/webhooks/:id/await', needs('webhooks', 'webhook'), async (context) => {
      const { timeout_ms: timeoutMs } = await readBody(Awaiting, context);
      const webhook = named(context.req.param('id'));
      if (admin.handshakes === undefined) {
        throw failure('no_server', 'no server runs that could be asked', { fix: 'Start it: hookctl serve' });
      }
      // The moment of awaiting ends with the request: nothing is learned for a client that has gone.
      const end = AbortSignal.any([context.req.raw.signal, AbortSignal.timeout(timeoutMs)]);
      const answered = await admin.handshakes.await(webhook, actorOf(context), end);
      context.set(
        'change',
        answered && {
          what: 'webhook.await',
          target: webhook.name,
          details: { handshake: answered.handshake, method: answered.method },
        },
      );
      return context.json({ handshake: answered && snakeKeys(answered) });
    })
    .get('/webhooks/:id/deliveries', needs('read', 'webhook'), (context) => {
      const { name } = named(context.req.param('id'));
      return context.json(
        deliveryPage(
          admin.store,
          { webhook: name, owner: ownerAsking(context) },
          parseQuery(ListQuery, context),
        ),
      );
    })
    .route('/', commandRoutes({ named, inForce, edited }));
}

/** What the routes of commands need of those of webhooks. */
interface WebhookAccess {
  readonly named: (ref: string) => Webhook;
  readonly inForce: (id: string) => Webhook;
  readonly edited: <T>(context: Context<ApiEnv>, change: Change<T>) => Promise<T>;
}

/**
 * `GET|POST /webhooks/:id/commands` and `PUT|DELETE /webhooks/:id/commands/:command`, which is an id, or a name or
 * trigger that only one has. All commands of a webhook are one page.
 */
function commandRoutes({ named, inForce, edited }: WebhookAccess): Hono<ApiEnv> {
  const shown = async (webhookId: string, commandId: string) => {
    const webhook = inForce(webhookId);
    const command = webhook.commands.find(({ id }) => id === commandId);
    if (command === undefined) throw removedSince(commandId);
    return { ...commandView(command), ...withNotes(await lintCommand(webhook, command)) };
  };

  return new Hono<ApiEnv>()
    .get('/webhooks/:id/commands', needs('read', 'webhook'), (context) => {
      const { commands } = named(context.req.param('id'));
      return context.json({ items: commands.map(commandView), next_cursor: null });
    })
    .post('/webhooks/:id/commands', needs('webhooks', 'webhook'), async (context) => {
      const change = addCommand(context.req.param('id'), await readJson(context));
      const { webhook, command } = await edited(context, change);
      context.header('location', `/api/webhooks/${webhook.webhook_id}/commands/${command.id}`);
      return context.json(await shown(webhook.webhook_id, command.id), 201);
    })
    .put('/webhooks/:id/commands/:command', needs('webhooks', 'webhook'), async (context) => {
      const { id, command: ref } = context.req.param();
      const change = updateCommand(id, ref, await readJson(context));
      const { webhook, command } = await edited(context, change);
      return context.json(await shown(webhook.webhook_id, command.id));
    })
    .delete('/webhooks/:id/commands/:command', needs('webhooks', 'webhook'), async (context) => {
      const { id, command } = context.req.param();
      await edited(context, removeCommand(id, command));
      return context.body(null, 204);
    });
}

/** `notes`: what is probably a mistake in what was changed. */
function withNotes(notes: readonly string[]): { readonly notes?: readonly string[] } {
  return notes.length === 0 ? {} : { notes };
}

/** `secret`: the one that was made for this request. */
function withSecret(made: string | null): { readonly secret?: string } {
  return made === null ? {} : { secret: made };
}
