import type { Snapshot, Webhook } from '../types.ts';

/** The webhooks in force, frozen: a reload makes a new snapshot and swaps it in as a whole. */
export function createSnapshot(webhooks: readonly Webhook[]): Snapshot {
  const frozen = Object.freeze(webhooks.map((webhook) => deepFreeze(webhook)));
  return Object.freeze({
    webhooks: frozen,
    byEndpoint: new Map(frozen.map((webhook) => [webhook.endpoint, webhook])),
    byName: new Map(frozen.map((webhook) => [webhook.name, webhook])),
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
