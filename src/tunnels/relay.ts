import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Headers } from '../types.ts';

/**
 * Set on requests whose body a relay has parsed and written anew (smee.io): a signature that does not fit proves
 * nothing there, neither a forgery nor a wrong secret. The value is a key that only this process knows, or any
 * sender could claim the mark for itself. Never stored.
 */
export const RELAY_HEADER = 'x-hookctl-relay';

/** The reason of such a verdict, as users read it. */
export const RELAY_VERDICT = 'unverifiable (the relay changed the bytes)';

/** A new key; one per process. */
export function newRelayKey(): string {
  return randomBytes(32).toString('hex');
}

/** Whether our own relay driver marked this request. Constant time. */
export function isRelayed(headers: Headers, relayKey: string): boolean {
  const claimed = headers[RELAY_HEADER];
  return claimed !== undefined && timingSafeEqual(digest(claimed), digest(relayKey));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
