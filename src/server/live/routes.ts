import { Hono } from 'hono';
import { z } from 'zod';
import { type ApiEnv, parseQuery } from '../api/route.ts';
import type { Feed } from './feed.ts';
import { EVENT_TYPES } from './objects.ts';

/** `?after=`: as the header `Last-Event-ID`, which it overrides. `?types=`: only these, with commas between. */
const EventQuery = z.strictObject({
  after: z.string().optional(),
  types: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(EVENT_TYPES)))
    .default([]),
});

/** What its routes validate with. */
export const schemas = { EventQuery };

/**
 * `GET /events`: what happens from now on, as server-sent events whose data is JSON with `type` and `at`. The first has the type
 * `open`; `gap` says that some were missed, and that lists have to be read anew.
 */
export function eventRoutes(feed: Pick<Feed, 'read'>): Hono<ApiEnv> {
  return new Hono<ApiEnv>().get('/events', (context) => {
    const { after, types } = parseQuery(EventQuery, context.req.query());
    const events = feed.read({ after: after ?? context.req.header('last-event-id') ?? null, types });
    return context.body(events.pipeThrough(new TextEncoderStream()), 200, {
      'content-type': 'text/event-stream; charset=utf-8',
    });
  });
}
