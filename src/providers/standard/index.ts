import type { JsonObject, Parsed, Provider } from '../../types.ts';
import { event, noPerson } from '../kit/event.ts';
import { textAt } from '../kit/payload.ts';
import { createProvider, type ReadContext } from '../provider.ts';
import { STANDARD_WEBHOOKS } from '../scheme/scheme.ts';

/** Where senders name the event: the specification says `type`. */
const TYPES = ['type', 'event_type', 'eventType', 'event'] as const;

/**
 * Reads a verified message of any sender. What it is about, the specification does not say, so that every message has
 * a flow of its own.
 */
function parse(payload: JsonObject, { request }: ReadContext): Parsed {
  const type = TYPES.map((name) => textAt(payload, name)).find((found) => found !== null && found !== '');
  const parsed = event(payload, {
    type: type ?? 'message',
    sender: noPerson('standard', request.headers['user-agent'] ?? 'standard'),
    title: type ?? null,
  });
  return { ok: true, events: [parsed], semanticKeys: [] };
}

/** Svix sends the same under names of its own. */
const SVIX = {
  header: 'svix-signature',
  timestamp: 'header:svix-timestamp',
  deliveryId: 'header:svix-id',
};
/** Asymmetric signatures: the webhook's secret is the sender's public key (`whpk_…`). */
const ED25519 = { scheme: 'ed25519', prefix: 'v1a,' } as const;

/**
 * Every sender that follows Standard Webhooks (Svix and its customers, OpenAI, Supabase, …): `v1` is HMAC-SHA256 under
 * `whsec_…`, `v1a` is ed25519. The header lists several signatures while a secret is rotated; any one that fits is
 * enough, unknown versions are skipped. Source: standardwebhooks.com, specification 1.0.0.
 */
export const standard: Provider = createProvider({
  name: 'standard',
  signature: STANDARD_WEBHOOKS,
  alternatives: [SVIX, ED25519, { ...SVIX, ...ED25519 }],
  // Whose words a message brings, the specification does not say: mail, forms, customers.
  strangersWords: true,
  deliveryId: (headers) => headers['webhook-id'] ?? headers['svix-id'] ?? null,
  parse,
  form: ({ url, secretCommand, enterCommand }) => ({
    'Endpoint URL': url,
    'Signing secret': secretCommand,
    'If the sender makes its own (whsec_…), or shows a public key (whpk_…)': enterCommand,
  }),
});
