import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Headers } from '../types.ts';

/** Where probes go. The ingress answers them 204 and stores nothing. */
export const PROBE_PATH = '/webhooks/hookctl-probe';
/** Carries `<nonce>.<mac>`. The ingress gives it back, which shows that the answer, too, found its way. */
export const PROBE_HEADER = 'x-hookctl-probe';

/** A new key; one per process, so that no other hookctl on the same relay takes our probes for its own. */
export function newProbeKey(): Uint8Array {
  return randomBytes(32);
}

/** The value of the probe header, another one each time. `now` (epoch ms) is in it for people who read logs. */
export function makeProbe(key: Uint8Array, now: number): string {
  const nonce = `${now.toString(36)}-${randomBytes(12).toString('hex')}`;
  return `${nonce}.${macOf(nonce, key)}`;
}

/** Whether a request is a probe made with this key. Constant time. A repeated probe is still one, and does nothing. */
export function isProbe(path: string, headers: Headers, key: Uint8Array): boolean {
  const [nonce, claimed, ...rest] = (headers[PROBE_HEADER] ?? '').split('.');
  if (path !== PROBE_PATH || !nonce || !claimed || rest.length > 0) return false;
  const given = Buffer.from(claimed);
  const right = Buffer.from(macOf(nonce, key));
  return given.length === right.length && timingSafeEqual(given, right);
}

function macOf(nonce: string, key: Uint8Array): string {
  return createHmac('sha256', key).update(`hookctl-probe ${nonce}`).digest('hex');
}
