import { Hono } from 'hono';
import { z } from 'zod';
import { failure, notFound } from '../../errors.ts';
import type { FlowLink } from '../../store/flows.ts';
import type { Store } from '../../store/store.ts';
import type { TaskReader } from '../../store/tasks.ts';
import {
  conversationView,
  type FlowReader,
  flowDetails,
  flowNamed,
  flowView,
  linkView,
  messagesOf,
  metricsView,
} from '../../task-views.ts';
import type { Conversation } from '../../types.ts';
import { needs } from '../access/needs.ts';
import { type ApiEnv, ownerAsking, ownerField, pageFields, pageOf, parseQuery, readBody } from './route.ts';

const FlowQuery = z.strictObject({ ...pageFields, ...ownerField, external_id: z.string().optional() });
const ConversationQuery = z.strictObject({ ...pageFields, ...ownerField, flow_id: z.string().optional() });
const MessageQuery = z.strictObject(pageFields);
const ContextQuery = z.strictObject({ max_messages: z.coerce.number().int().min(1).max(200).default(20) });

/** What its routes validate with. */
export const schemas = { FlowQuery, ConversationQuery, MessageQuery, ContextQuery };

const NoFields = z.strictObject({});

/**
 * `GET /flows` (newest first), `GET /flows/:id`, by either id, with its conversations and tasks, and `POST /flows/:id/unlink`, which
 * takes back that it goes on in another flow.
 */
export function flowRoutes(store: FlowReader & Pick<Store, 'unlinkFlow'>): Hono<ApiEnv> {
  return new Hono<ApiEnv>()
    .get('/flows', needs('read'), (context) => {
      const { limit, cursor, owner, external_id } = parseQuery(FlowQuery, context);
      const rows = store.flows({
        limit: limit + 1,
        ...(cursor && { before: cursor }),
        ...(owner && { owner }),
        ...(external_id && { externalId: external_id }),
      });
      const flows = rows.map((flow) => flowNamed(store, flow.id) ?? flow);
      return context.json(pageOf(flows.map(flowView), limit, ({ id }) => id));
    })
    .get('/flows/:id', needs('read', 'flow'), (context) => {
      const id = context.req.param('id');
      const flow = flowNamed(store, id, ownerAsking(context));
      if (flow === null) throw notFound(`there is no flow ${id}`);
      return context.json(flowDetails(store, flow));
    })
    .post('/flows/:id/unlink', needs('tasks', 'flow'), async (context) => {
      await readBody(NoFields, context);
      const link = linkNamed(store, context.req.param('id'), ownerAsking(context));
      await store.unlinkFlow(link.flowId);
      const details = { external_id: link.externalId, into_flow_id: link.intoFlowId };
      context.set('change', { what: 'flow.unlink', target: link.flowId, details });
      return context.json(linkView(link));
    });
}

/**
 * `GET /conversations`, `GET /conversations/:id`, and below it `messages` (oldest first; `limit` counts tasks),
 * `metrics`, and `context?max_messages=`: its last messages, for an agent that joins.
 */
export function conversationRoutes(store: TaskReader): Hono<ApiEnv> {
  return new Hono<ApiEnv>()
    .get('/conversations', needs('read'), (context) => {
      const { limit, cursor, owner, flow_id } = parseQuery(ConversationQuery, context);
      const rows = store.conversations({
        limit: limit + 1,
        ...(cursor && { before: cursor }),
        ...(owner && { owner }),
        ...(flow_id && { flowId: flow_id }),
      });
      return context.json(pageOf(rows.map(conversationView), limit, ({ id }) => id));
    })
    .get('/conversations/:id', needs('read', 'conversation'), (context) =>
      context.json(conversationView(conversation(store, context.req.param('id')))),
    )
    .get('/conversations/:id/metrics', needs('read', 'conversation'), (context) =>
      context.json(metricsView(conversation(store, context.req.param('id')))),
    )
    .get('/conversations/:id/messages', needs('read', 'conversation'), (context) => {
      const { id } = conversation(store, context.req.param('id'));
      const { limit, cursor = '' } = parseQuery(MessageQuery, context);
      const tasks = store.tasks({ conversationId: id, after: cursor, limit: limit + 1 });
      const page = pageOf(tasks, limit, (task) => task.id);
      return context.json({ ...page, items: messagesOf(page.items) });
    })
    .get('/conversations/:id/context', needs('read', 'conversation'), (context) => {
      const { max_messages: most } = parseQuery(ContextQuery, context);
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

/** The link by which the flow of an id or external id goes on in another. Throws `not_found` and `not_linked`. */
function linkNamed(store: FlowReader, name: string, owner: string | undefined): FlowLink {
  const flow = store.flows({ id: name })[0] ?? store.flows({ externalId: name, ...(owner && { owner }) })[0];
  if (flow === undefined) throw notFound(`there is no flow ${name}`, 'List them with `hookctl flow list`.');
  const link = store.linkOf(flow.id);
  if (link !== null) return link;
  const joined = store.linksInto(flow.id).map(({ externalId }) => externalId);
  const first = joined[0];
  throw failure('not_linked', `${flow.externalId} goes on in no other flow`, {
    fix:
      first === undefined
        ? 'See what belongs to it with `hookctl flow show`.'
        : `These go on in it: ${joined.join(', ')}. Take one out with \`hookctl flow unlink ${first}\`.`,
  });
}
