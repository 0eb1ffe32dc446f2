import { hash } from 'node:crypto';

/**
 * A key by which the same bytes are recognised, for providers whose delivery id is outside the signature: a captured
 * request could be sent again under a new id.
 */
export function bodyKey(body: Uint8Array): string {
  return `body:${hash('sha256', body, 'hex')}`;
}
