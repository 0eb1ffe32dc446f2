import { createHash } from 'node:crypto';

/** The flow of an external id: the same on every machine and after every restart. */
export function flowIdOf(externalId: string): string {
  return `flow-${createHash('sha256').update(externalId).digest('hex').slice(0, 16)}`;
}

/** An event without a subject has a flow of its own, named after its delivery. */
export function ownExternalId(provider: string, deliveryId: string): string {
  return `${provider}:delivery/${deliveryId}`;
}
