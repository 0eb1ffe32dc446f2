import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { Change } from '../../config/dynamic/change.ts';
import {
  addCommand,
  addWebhook,
  removeCommand,
  removeWebhook,
  setEnabled,
  updateCommand,
  updateWebhook,
} from '../../config/dynamic/edit.ts';
import { lintCommand, lintWebhooks } from '../../config/lint.ts';
import { failure, notFound } from '../../errors.ts';
import type { StoreReader } from '../../store/store.ts';
import type { Actor, Snapshot, Webhook } from '../../types.ts';
import { commandView, type WebhookView } from '../webhook-view.ts';
import { deliveryPage } from './deliveries.ts';
import { type ApiEnv, actorOf, pageFields, pageOf, parseQuery, readJson } from './route.ts';

const ListQuery = z.strictObject(pageFields);

/** What the routes know of the webhooks and do with them. */
export interface WebhookAdmin {
  readonly snapshot: () => Snapshot;
  /** The same in the order of their names. */
  readonly byName: () => readonly Webhook[];
  /** How webhooks are shown, with counts and times as they are now. */
  readonly views: (webhooks: readonly Webhook[]) => readonly WebhookView[];
  /** Changes the JSON db; resolves when the change is in force. Throws what the change throws. */
  readonly change: <T>(change: Change<T>, actor: Actor) => Promise<T>;
  readonly store: Pick<StoreReader, 'deliveries'>;
}

/** The db records its own edits, because the CLI makes them without the API. */
function edited<T>(admin: WebhookAdmin, context: Context<ApiEnv>, change: Change<T>): Promise<T> {
  context.set('change', null);
  return admin.change(change, actorOf(context));
}

/**
 * `GET|POST /webhooks`, `GET|PUT|DELETE /webhooks/:id`, and below it `enable`, `disable`, `deliveries`. An id is that
 * of a dynamic webhook, or a name. A write is answered when it is in force. No answer holds a secret, except the 201
 * of the request that had one made.
 */
export function webhookRoutes(admin: WebhookAdmin): Hono<ApiEnv> {
  const shown = (webhook: Webhook) => admin.views([webhook])[0];
  const switched = async (context: Context<ApiEnv>, ref: string, enabled: boolean) => {
    const { webhook } = await edited(admin, context, setEnabled(ref, enabled));
    return context.json(shown(changed(admin, webhook.webhook_id)));
  };

  return new Hono<ApiEnv>()
    .get('/webhooks', (context) => {
      const { limit, cursor = '' } = parseQuery(ListQuery, context.req.query());
      const all = admin.byName();
      const first = all.findIndex(({ name }) => name > cursor);
      const rows = first < 0 ? [] : all.slice(first, first + limit + 1);
      const page = pageOf(rows, limit, ({ name }) => name);
      return context.json({ ...page, items: admin.views(page.items) });
    })
    .post('/webhooks', async (context) => {
      const change = addWebhook(await readJson(context));
      const { webhook, generatedSecret } = await edited(admin, context, change);
      const made = changed(admin, webhook.webhook_id);
      context.header('location', `/api/webhooks/${webhook.webhook_id}`);
      return context.json(
        {
          ...shown(made),
          ...withNotes(lintWebhooks([made])),
          ...(generatedSecret !== null && { secret: generatedSecret }),
        },
        201,
      );
    })
    .get('/webhooks/:id', (context) => context.json(shown(named(admin, context.req.param('id')))))
    .put('/webhooks/:id', async (context) => {
      const change = updateWebhook(context.req.param('id'), await readJson(context));
      const { webhook } = await edited(admin, context, change);
      const now = changed(admin, webhook.webhook_id);
      return context.json({ ...shown(now), ...withNotes(lintWebhooks([now])) });
    })
    .delete('/webhooks/:id', async (context) => {
      await edited(admin, context, removeWebhook(context.req.param('id')));
      return context.body(null, 204);
    })
    .post('/webhooks/:id/enable', (context) => switched(context, context.req.param('id'), true))
    .post('/webhooks/:id/disable', (context) => switched(context, context.req.param('id'), false))
    .get('/webhooks/:id/deliveries', (context) => {
      const { name } = named(admin, context.req.param('id'));
      return context.json(
        deliveryPage(admin.store, { webhook: name }, parseQuery(ListQuery, context.req.query())),
      );
    });
}

/**
 * `GET|POST /webhooks/:id/commands` and `PUT|DELETE /webhooks/:id/commands/:command`, which is an id, or a name or
 * trigger that only one has. All commands of a webhook are one page.
 */
export function commandRoutes(admin: WebhookAdmin): Hono<ApiEnv> {
  const shown = (webhookId: string, commandId: string) => {
    const webhook = changed(admin, webhookId);
    const command = webhook.commands.find(({ id }) => id === commandId);
    if (command === undefined) throw goneAgain(commandId);
    return { ...commandView(command), ...withNotes(lintCommand(webhook, command)) };
  };

  return new Hono<ApiEnv>()
    .get('/webhooks/:id/commands', (context) => {
      const { commands } = named(admin, context.req.param('id'));
      return context.json({ items: commands.map(commandView), next_cursor: null });
    })
    .post('/webhooks/:id/commands', async (context) => {
      const change = addCommand(context.req.param('id'), await readJson(context));
      const { webhook, command } = await edited(admin, context, change);
      context.header('location', `/api/webhooks/${webhook.webhook_id}/commands/${command.id}`);
      return context.json(shown(webhook.webhook_id, command.id), 201);
    })
    .put('/webhooks/:id/commands/:command', async (context) => {
      const { id, command: ref } = context.req.param();
      const change = updateCommand(id, ref, await readJson(context));
      const { webhook, command } = await edited(admin, context, change);
      return context.json(shown(webhook.webhook_id, command.id));
    })
    .delete('/webhooks/:id/commands/:command', async (context) => {
      const { id, command } = context.req.param();
      await edited(admin, context, removeCommand(id, command));
      return context.body(null, 204);
    });
}

/** `notes`: what is probably a mistake in what was changed. */
function withNotes(notes: readonly string[]): { readonly notes?: readonly string[] } {
  return notes.length === 0 ? {} : { notes };
}

/** The webhook of an id or a name, as it is in force. Throws `not_found`. */
function named({ snapshot }: WebhookAdmin, ref: string): Webhook {
  const { webhooks } = snapshot();
  const found =
    webhooks.find(({ origin }) => origin.kind === 'dynamic' && origin.webhookId === ref) ??
    webhooks.find(({ name }) => name.toLowerCase() === ref.toLowerCase());
  if (found === undefined) throw notFound(`there is no webhook ${ref}`);
  return found;
}

/** The dynamic webhook that was changed, as it is in force. Throws `changed_since`. */
function changed({ snapshot }: WebhookAdmin, id: string): Webhook {
  const found = snapshot().webhooks.find(
    ({ origin }) => origin.kind === 'dynamic' && origin.webhookId === id,
  );
  if (found === undefined) throw goneAgain(id);
  return found;
}

function goneAgain(id: string): Error {
  return failure('changed_since', `${id} was removed by somebody else at the same moment`);
}
