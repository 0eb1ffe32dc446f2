import { Hono } from 'hono';
import { z } from 'zod';
import type { OperationsFor } from '../operations.ts';
import { AckBody, CommentBody, ListenBody } from '../task-request.ts';
import { readBody } from './body.ts';

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
