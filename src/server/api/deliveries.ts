import { Hono } from 'hono';
import { z } from 'zod';
import { usageError } from '../../errors.ts';
import type { Operations } from '../operations.ts';

const Replay = z.strictObject({ replies: z.boolean().default(false) });

const ReplayFile = z.strictObject({
  webhook: z.string(),
  headers: z.record(z.string(), z.string()),
  query: z.string().default(''),
  body_base64: z.base64(),
  replies: z.boolean().default(false),
});

/** `POST /api/deliveries/:id/retry|replay`, and `POST /api/replays` for the bytes of a file. */
export function deliveryRoutes(operations: Operations): Hono {
  return new Hono()
    .post('/deliveries/:id/retry', async (context) =>
      context.json(await operations.retry(context.req.param('id'))),
    )
    .post('/deliveries/:id/replay', async (context) => {
      const { replies } = parseBody(Replay, await context.req.text());
      return context.json(await operations.replay(context.req.param('id'), replies), 201);
    })
    .post('/replays', async (context) => {
      const file = parseBody(ReplayFile, await context.req.text());
      const request = {
        headers: file.headers,
        query: file.query,
        body: Buffer.from(file.body_base64, 'base64'),
      };
      const source = { deliveryId: null, webhookName: file.webhook, request, trust: 'operator' } as const;
      return context.json(await operations.replayFile(source, file.replies), 201);
    });
}

/** A JSON body of the schema; an empty one stands for `{}`. Throws `usage`, which is answered 400. */
function parseBody<T>(schema: z.ZodType<T>, text: string): T {
  const parsed = schema.safeParse(parseJsonText(text === '' ? '{}' : text));
  if (parsed.success) return parsed.data;
  throw usageError(
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; '),
  );
}

function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usageError('the body is not JSON', error instanceof Error ? error.message : undefined);
  }
}
