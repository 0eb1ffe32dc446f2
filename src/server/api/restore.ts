import { Hono } from 'hono';
import { z } from 'zod';
import type { Restore } from '../restore.ts';
import { readBody } from './body.ts';

const Body = z.strictObject({ staged: z.string() });

/** `POST /restore`: puts in force what `hookctl restore` staged in the data folder; answers when it is served. */
export function restoreRoutes(restore: Restore): Hono {
  return new Hono().post('/restore', async (context) => {
    const { staged } = await readBody(Body, context);
    return context.json(await restore(staged));
  });
}
