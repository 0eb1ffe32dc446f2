import type { Webhook, WebhookSecret } from '../types.ts';

/** The secrets of a webhook that have not expired. `now` is epoch ms. */
export function activeSecrets({ secrets }: Webhook, now: number): readonly WebhookSecret[] {
  return secrets.filter(({ expiresAt }) => expiresAt === null || now < expiresAt);
}
