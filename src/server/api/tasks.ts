import { Hono } from 'hono';
import { z } from 'zod';
import { notFound } from '../../errors.ts';
import type { RunReader } from '../../store/runs.ts';
import type { TaskReader } from '../../store/tasks.ts';
import { listedTasks, taskWithRuns } from '../../task-views.ts';
import { TASK_STATUSES } from '../../types.ts';
import type { OperationsFor } from '../operations.ts';
import { TASK_VERBS } from '../task-operations.ts';
import {
  AckBody,
  CommentBody,
  CreateBody,
  ListenBody,
  ReportBody,
  toReport,
  toRequest,
} from '../task-request.ts';
import { pageFields, pageOf, parseQuery, readBody } from './bodies.ts';

const ListQuery = z.strictObject({
  ...pageFields,
  status: z.enum(TASK_STATUSES).optional(),
  flow_id: z.string().optional(),
  conversation_id: z.string().optional(),
  delivery_id: z.string().optional(),
});

/** `before`: null: all that ended, or all samples. */
const Prune = z.strictObject({
  before: z.iso.datetime({ offset: true }).nullable(),
  samples: z.boolean().default(false),
});

/**
 * `GET|POST /tasks`, `GET /tasks/:id` (with history), `POST /tasks/:id/start|complete|fail|cancel|approve|retry|ask`,
 * `POST /tasks/prune`, and `POST /sync`, which compares Claude's directory with the store.
 */
export function taskRoutes(store: TaskReader & RunReader, operationsFor: OperationsFor): Hono {
  const routes = new Hono()
    .get('/tasks', (context) => {
      const query = parseQuery(ListQuery, context.req.query());
      const { limit, cursor, status, flow_id, conversation_id, delivery_id } = query;
      const rows = store.tasks({
        limit: limit + 1,
        ...(cursor && { before: cursor }),
        ...(status && { status }),
        ...(flow_id && { flowId: flow_id }),
        ...(conversation_id && { conversationId: conversation_id }),
        ...(delivery_id && { deliveryId: delivery_id }),
      });
      return context.json(pageOf(listedTasks(store, rows), limit, ({ id }) => id));
    })
    .post('/tasks', async (context) => {
      const body = await readBody(CreateBody, context);
      const task = await operationsFor(context).tasks.create(toRequest(body), body.source);
      context.header('location', `/api/tasks/${task.id}`);
      return context.json(task, 201);
    })
    .post('/tasks/prune', async (context) => {
      const { before, samples } = await readBody(Prune, context);
      const limits = { before: before === null ? null : Date.parse(before), samples };
      return context.json(await operationsFor(context).tasks.prune(limits));
    })
    .get('/tasks/:id', (context) => {
      const id = context.req.param('id');
      const task = store.task(id);
      if (task === null) throw notFound(`there is no task ${id}`);
      return context.json(taskWithRuns(store, task));
    })
    .post('/sync', async (context) => context.json(await operationsFor(context).tasks.sync()));
  for (const verb of TASK_VERBS) {
    routes.post(`/tasks/:id/${verb}`, async (context) => {
      const report = toReport(await readBody(ReportBody, context));
      return context.json(await operationsFor(context).tasks.change(context.req.param('id'), verb, report));
    });
  }
  return routes;
}

const NoFields = z.strictObject({});

/**
 * What `hookctl mcp` needs of a running server beside the tasks themselves: `POST /tasks/:id/comment`, which posts in the
 * thread that the task came from, and `POST /events/listen|ack` for agents that wait for what happens. `POST
 * /agents/:name/release` lets the tasks run that were queued before an agent was configured.
 */
export function agentRoutes(operationsFor: OperationsFor): Hono {
  return new Hono()
    .post('/tasks/:id/comment', async (context) => {
      const { text } = await readBody(CommentBody, context);
      return context.json(await operationsFor(context).tasks.comment(context.req.param('id'), text), 201);
    })
    .post('/agents/:name/release', async (context) => {
      await readBody(NoFields, context);
      return context.json(await operationsFor(context).tasks.release(context.req.param('name')));
    })
    .post('/events/listen', async (context) => {
      const { consumer, since_task_id: sinceTask } = await readBody(ListenBody, context);
      await operationsFor(context).tasks.listen(consumer, sinceTask ?? null);
      return context.json({});
    })
    .post('/events/ack', async (context) => {
      const { consumer, event_id: id } = await readBody(AckBody, context);
      return context.json({ known: await operationsFor(context).tasks.ackEvent(consumer, id) });
    });
}
