import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RawRequest } from '../types.ts';

/** Marks a request that `hookctl trigger` made: a proof by the key that the server shares with this user alone. Never stored. */
export const SAMPLE_HEADER = 'x-hookctl-sample';

/** Proves that whoever made this body can read the data folder. */
export function sampleProof(body: Uint8Array, key: string): string {
  return createHmac('sha256', key).update('hookctl-sample ').update(body).digest('hex');
}

/** Whether `hookctl trigger` made a request. Constant time. */
export function isSample({ headers, body }: RawRequest, key: string): boolean {
  const claimed = headers[SAMPLE_HEADER];
  if (claimed === undefined) return false;
  const given = Buffer.from(claimed);
  const right = Buffer.from(sampleProof(body, key));
  return given.length === right.length && timingSafeEqual(given, right);
}
