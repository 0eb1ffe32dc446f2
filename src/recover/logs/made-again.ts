import type { LoggedAttempt } from '../../connect/connector.ts';
import type { Headers, JsonObject } from '../../types.ts';

interface Change {
  /** As hookctl names it. */
  readonly eventType: string;
  /** Of the thing that was made. */
  readonly id: string | null;
  readonly at: number | null;
  readonly headers?: Headers;
  readonly payload: JsonObject;
}

/** How far back a change may have come: all that the APIs tell. Tasks of what is older help no one. */
export const WINDOW_MS = 30 * 86_400_000;
/** Senders' clocks and ours differ; what is read twice is known again. */
const MARGIN_MS = 10 * 60_000;

/** Whole minutes, with a margin. */
export function minutes(ageMs: number): number {
  return Math.ceil((ageMs + MARGIN_MS) / 60_000);
}

/**
 * An event as the sender would have sent it, made of what its API says now. Whether it sent one is not told, nor under which id:
 * this one is the same each time, so that it is taken in once.
 */
export function madeAgain(
  idHeader: string,
  { eventType, id, at, headers = {}, payload }: Change,
): readonly LoggedAttempt[] {
  if (id === null || at === null) return [];
  const deliveryId = `fetched:${eventType}:${id}`;
  const request = { headers: { ...headers, [idHeader]: deliveryId }, payload };
  return [{ id: deliveryId, deliveryId, at, hasArrived: false, eventType, request }];
}
