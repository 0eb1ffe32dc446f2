import type { SenderLog } from '../../connect/connector.ts';
import { idAt, objectsAt, textAt } from '../../providers/kit/payload.ts';

const DAY_MS = 86_400_000;
const PAGE = 100;

/**
 * Events that an endpoint of the account did not take: 30 days. Which endpoint that was is not told; what came here is known by
 * its id. Source: docs.stripe.com, API reference, "List all events".
 */
export const stripeLog: SenderLog = {
  windowMs: 30 * DAY_MS,
  attempts: () => ({ method: 'GET', path: `/v1/events?delivery_success=false&limit=${PAGE}`, body: null }),
  readAttempts: ({ json }) =>
    objectsAt(json, 'data').map((event) => ({
      id: idAt(event, 'id') ?? '',
      deliveryId: idAt(event, 'id') ?? '',
      at: typeof event.created === 'number' ? event.created * 1000 : null,
      hasArrived: false,
      eventType: textAt(event, 'type'),
      request: { headers: { 'user-agent': 'Stripe/1.0' }, payload: event },
    })),
  takes: ({ eventType }, events) => events.includes('*') || events.includes(eventType ?? ''),
  next({ json }, request) {
    const last = objectsAt(json, 'data').at(-1);
    const hasMore = json !== null && typeof json === 'object' && 'has_more' in json && json.has_more === true;
    const id = idAt(last, 'id');
    if (!hasMore || id === null) return null;
    const path = request.path.replace(/&starting_after=[^&]*$/, '');
    return { ...request, path: `${path}&starting_after=${encodeURIComponent(id)}` };
  },
};
