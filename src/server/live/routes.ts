import { Hono } from 'hono';
import { z } from 'zod';
import { endOf } from '../access/caller.ts';
import { needs } from '../access/needs.ts';
import { type ApiEnv, ownerAsking, parseQuery } from '../api/route.ts';
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
  return new Hono<ApiEnv>().get('/events', needs('read'), (context) => {
    const { after, types } = parseQuery(EventQuery, context);
    const caller = context.get('caller');
    const events = feed.read({
      ...{ after: after ?? context.req.header('last-event-id') ?? null, types },
      owner: ownerAsking(context) ?? null,
      ended: caller.kind === 'owner' ? endOf(caller, Date.now()) : null,
    });
    return context.body(events.pipeThrough(new TextEncoderStream()), 200, {
      'content-type': 'text/event-stream; charset=utf-8',
    });
  });
}
