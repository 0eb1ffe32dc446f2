import { Hono } from 'hono';
import { z } from 'zod';
import { notFound } from '../../errors.ts';
import type { TaskReader } from '../../store/tasks.ts';
import { conversationView, flowDetails, flowView, messagesOf, metricsView } from '../../task-views.ts';
import type { Conversation } from '../../types.ts';
import { type ApiEnv, pageFields, pageOf, parseQuery } from './route.ts';

const FlowQuery = z.strictObject({ ...pageFields, external_id: z.string().optional() });
const ConversationQuery = z.strictObject({ ...pageFields, flow_id: z.string().optional() });
const MessageQuery = z.strictObject(pageFields);
const ContextQuery = z.strictObject({ max_messages: z.coerce.number().int().min(1).max(200).default(20) });

/** `GET /flows` (newest first) and `GET /flows/:id`, with its conversations and tasks. */
export function flowRoutes(store: TaskReader): Hono<ApiEnv> {
  return new Hono<ApiEnv>()
    .get('/flows', (context) => {
      const { limit, cursor, external_id } = parseQuery(FlowQuery, context.req.query());
      const rows = store.flows({
        limit: limit + 1,
        ...(cursor && { before: cursor }),
        ...(external_id && { externalId: external_id }),
      });
      return context.json(pageOf(rows.map(flowView), limit, ({ id }) => id));
    })
    .get('/flows/:id', (context) => {
      const id = context.req.param('id');
      const flow = store.flows({ id })[0];
      if (flow === undefined) throw notFound(`there is no flow ${id}`);
      return context.json(flowDetails(store, flow));
    });
}

/**
 * `GET /conversations`, `GET /conversations/:id`, and below it `messages` (oldest first; `limit` counts tasks),
 * `metrics`, and `context?max_messages=`: its last messages, for an agent that joins.
 */
export function conversationRoutes(store: TaskReader): Hono<ApiEnv> {
  return new Hono<ApiEnv>()
    .get('/conversations', (context) => {
      const { limit, cursor, flow_id } = parseQuery(ConversationQuery, context.req.query());
      const rows = store.conversations({
        limit: limit + 1,
        ...(cursor && { before: cursor }),
        ...(flow_id && { flowId: flow_id }),
      });
      return context.json(pageOf(rows.map(conversationView), limit, ({ id }) => id));
    })
    .get('/conversations/:id', (context) =>
      context.json(conversationView(conversation(store, context.req.param('id')))),
    )
    .get('/conversations/:id/metrics', (context) =>
      context.json(metricsView(conversation(store, context.req.param('id')))),
    )
    .get('/conversations/:id/messages', (context) => {
      const { id } = conversation(store, context.req.param('id'));
      const { limit, cursor = '' } = parseQuery(MessageQuery, context.req.query());
      const tasks = store.tasks({ conversationId: id, after: cursor, limit: limit + 1 });
      const page = pageOf(tasks, limit, (task) => task.id);
      return context.json({ ...page, items: messagesOf(page.items) });
    })
    .get('/conversations/:id/context', (context) => {
      const { max_messages: most } = parseQuery(ContextQuery, context.req.query());
      const found = conversation(store, context.req.param('id'));
      const newest = store.tasks({ conversationId: found.id, limit: most }).toReversed();
      return context.json({ ...conversationView(found), messages: messagesOf(newest).slice(-most) });
    });
}

function conversation(store: TaskReader, id: string): Conversation {
  const found = store.conversations({ id })[0];
  if (found === undefined) throw notFound(`there is no conversation ${id}`);
  return found;
}
