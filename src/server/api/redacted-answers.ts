import type { MiddlewareHandler } from 'hono';
import type { Redactor } from '../../lib/redact/redact.ts';

/** Answers that are as they are: bytes of a delivery, to be replayed elsewhere, would no longer verify. */
const EXACT = /^\/api\/deliveries\/[^/]+$/;
/** Configuration, which may be sent back changed: only known secrets are taken out of it. */
const CONFIGURATION = /^\/api\/(?:webhooks|commands)(?:\/|$)/;
/** The one answer that shows a secret: to the request that had it made. */
const SHOWS_NEW_SECRET = { method: 'POST', path: '/api/webhooks', status: 201 } as const;

/** Takes secrets out of every answer in text: what is known, and but for configuration what looks like one. */
export function redactedAnswers({ redact, redactKnown }: Redactor): MiddlewareHandler {
  return async (context, next) => {
    await next();
    const type = context.res.headers.get('content-type') ?? '';
    const { method, path } = context.req;
    const { status, headers, body } = context.res;
    const isShown =
      method === SHOWS_NEW_SECRET.method &&
      path === SHOWS_NEW_SECRET.path &&
      status === SHOWS_NEW_SECRET.status;
    if (isShown || (EXACT.test(path) && status === 200) || body === null) return;
    const isProblem = type.startsWith('application/problem+json');
    const clean = CONFIGURATION.test(path) && !isProblem ? redactKnown : redact;
    if (type.startsWith('text/event-stream')) {
      const events = body.pipeThrough(new TextDecoderStream()).pipeThrough(byEvent(clean));
      context.res = new Response(events.pipeThrough(new TextEncoderStream()), { status, headers });
    } else if (/^(?:application\/(?:\w+\+)?json|text\/plain)/.test(type)) {
      context.res = new Response(clean(await context.res.text()), { status, headers });
    }
  };
}

/** Changes a stream of server-sent events one whole event at a time. */
function byEvent(change: (text: string) => string): TransformStream<string, string> {
  let waiting = '';
  return new TransformStream({
    transform(chunk, controller) {
      waiting += chunk;
      const end = waiting.lastIndexOf('\n\n');
      if (end < 0) return;
      controller.enqueue(change(waiting.slice(0, end + 2)));
      waiting = waiting.slice(end + 2);
    },
    flush(controller) {
      if (waiting !== '') controller.enqueue(change(waiting));
    },
  });
}
