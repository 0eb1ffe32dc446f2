import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../lib/time.ts';
import { isRelayed, RELAY_VERDICT } from '../tunnels/relay.ts';
import type { RawRequest, Trust, Verdict, Webhook, WebhookSecret } from '../types.ts';
import type { Hints, PipelineContext } from './context.ts';

/** Whether a request is accepted, and why it is trusted. */
type Verification =
  | {
      readonly ok: true;
      readonly trust: Trust;
      /** See `Verdict`. Null when nothing proves the bytes. */
      readonly seal: string | null;
    }
  | { readonly ok: false; readonly verdict: Extract<Verdict, { ok: false }> };

/**
 * Verifies the raw bytes of a request before they are parsed. Expired secrets do not count. A promise only where its provider has
 * to wait for a key.
 */
export function verify(
  context: Pick<PipelineContext, 'clock' | 'insecure' | 'relayKey'>,
  webhook: Webhook,
  request: RawRequest,
): Verification | Promise<Verification> {
  if (context.insecure.has(webhook.name)) return { ok: true, trust: 'unverified', seal: null };
  const now = context.clock.now();
  const secrets = activeSecrets(webhook, now);
  const { provider } = webhook;
  return provider.verifyAsync === undefined
    ? judged(provider.verify(request, secrets, now), { context, webhook, request, secrets })
    : provider
        .verifyAsync(request, secrets, now)
        .then((verdict) => judged(verdict, { context, webhook, request, secrets }));
}

interface Judged {
  readonly context: Pick<PipelineContext, 'relayKey'>;
  readonly webhook: Webhook;
  readonly request: RawRequest;
  readonly secrets: readonly WebhookSecret[];
}

/** What a provider's verdict means, with what hookctl knows of the request beside it. */
function judged(verdict: Verdict, { context, webhook, request, secrets }: Judged): Verification {
  if (verdict.ok) {
    const { seal = digestOf(request, secrets[verdict.secretIndex]) } = verdict;
    return { ok: true, trust: 'verified', seal };
  }
  if (verdict.cause !== 'signature_wrong' || !isRelayed(request.headers, context.relayKey))
    return { ok: false, verdict };
  return webhook.allowUnverifiable
    ? { ok: true, trust: 'unverified', seal: null }
    : { ok: false, verdict: { ok: false, cause: 'unverifiable', detail: RELAY_VERDICT } };
}

/** Replaces the signature where a provider verifies by its own code and does not tell which one fitted. */
function digestOf({ body }: RawRequest, secret: WebhookSecret | undefined): string | null {
  if (secret === undefined) return null;
  return createHmac('sha256', secret.value.reveal()).update(body).digest('base64url');
}

/** A hint costs up to some milliseconds, and anybody can send a request that is refused: one hint a second is enough. */
const EVERY_MS = 1_000;

/**
 * Hints are found at once, because no body of a refused request is kept: `explain` could not find them later. They are part
 * of the refused row's reason, never of the answer.
 */
export function createHints({ now }: Clock): Hints {
  let next = Number.NEGATIVE_INFINITY;
  return {
    of(webhook, request) {
      const moment = now();
      if (webhook.provider.hint === undefined || moment < next) return null;
      next = moment + EVERY_MS;
      return webhook.provider.hint(request, activeSecrets(webhook, moment), moment);
    },
  };
}

/** Marks a request that `hookctl trigger` made: a proof by the key that the server shares with this user alone. Never stored. */
export const SAMPLE_HEADER = 'x-hookctl-sample';

/** Proves that the maker of this body can read the data folder. */
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

/** The secrets of a webhook that have not expired. `now` is epoch ms. */
function activeSecrets({ secrets }: Webhook, now: number): readonly WebhookSecret[] {
  const isActive = ({ expiresAt }: WebhookSecret) => expiresAt === null || now < expiresAt;
  return secrets.every(isActive) ? secrets : secrets.filter(isActive);
}
