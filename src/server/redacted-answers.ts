import type { MiddlewareHandler } from 'hono';
import type { Redactor } from '../lib/redact.ts';

/** Answers that are as they are: bytes of a delivery, to be replayed elsewhere, would no longer verify. */
const EXACT = /^\/api\/deliveries\/[^/]+$/;
/** The one answer that shows a secret: to the request that had it made. */
const SHOWS_NEW_SECRET = { method: 'POST', path: '/api/webhooks', status: 201 } as const;

/** Takes known secrets out of every answer in text, and out of problems also what looks like one. */
export function redactedAnswers({ redact, redactKnown }: Redactor): MiddlewareHandler {
  return async (context, next) => {
    await next();
    const type = context.res.headers.get('content-type') ?? '';
    const { method, path } = context.req;
    const { status } = context.res;
    const isShown =
      method === SHOWS_NEW_SECRET.method &&
      path === SHOWS_NEW_SECRET.path &&
      status === SHOWS_NEW_SECRET.status;
    if (
      isShown ||
      (EXACT.test(path) && status === 200) ||
      !/^(?:application\/(?:\w+\+)?json|text\/plain)/.test(type)
    )
      return;
    const text = await context.res.text();
    const clean = type.startsWith('application/problem+json') ? redact(text) : redactKnown(text);
    context.res = new Response(clean, { status, headers: context.res.headers });
  };
}
