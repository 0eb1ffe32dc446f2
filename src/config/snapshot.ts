import type { JsonValue, Snapshot, Webhook } from '../types.ts';
import type { Accounts } from './accounts.ts';

/** Every secret that a configuration holds, so that output can leave them out. */
export function* secretsIn({ webhooks }: Snapshot, { byProvider }: Accounts): Iterable<string> {
  for (const { secrets, commands } of webhooks) {
    for (const { value } of secrets) yield value.reveal();
    for (const { options } of commands) yield* passwordsIn(options.urls);
  }
  for (const { token } of byProvider.values()) yield token.reveal();
}

/** The passwords of URLs that something is forwarded to. */
function* passwordsIn(urls: JsonValue | undefined): Iterable<string> {
  if (!Array.isArray(urls)) return;
  for (const url of urls) {
    const password = URL.parse(String(url))?.password ?? '';
    if (password !== '') yield* [password, decodeURIComponent(password)];
  }
}

/** The webhooks in force, frozen: a reload makes a new snapshot and swaps it in as a whole. */
export function createSnapshot(webhooks: readonly Webhook[]): Snapshot {
  const frozen = Object.freeze(webhooks.map((webhook) => deepFreeze(webhook)));
  return Object.freeze({
    webhooks: frozen,
    byEndpoint: new Map(frozen.map((webhook) => [webhook.endpoint, webhook])),
    byName: new Map(frozen.map((webhook) => [webhook.name, webhook])),
    byWebhookId: new Map(
      frozen.flatMap((webhook) =>
        webhook.origin.kind === 'dynamic' ? [[webhook.origin.webhookId, webhook] as const] : [],
      ),
    ),
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
