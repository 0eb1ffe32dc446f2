import { createHmac } from 'node:crypto';
import { isRelayed, RELAY_VERDICT } from '../tunnels/tunnel.ts';
import type { RawRequest, Trust, Verdict, Webhook, WebhookSecret } from '../types.ts';
import { activeSecrets } from './active-secrets.ts';
import type { PipelineContext } from './context.ts';

/** Whether a request may enter, and why it is believed. */
type Verification =
  | {
      readonly ok: true;
      readonly trust: Trust /** See `Verdict`; null where nothing proves the bytes. */;
      readonly seal: string | null;
    }
  | { readonly ok: false; readonly verdict: Extract<Verdict, { ok: false }> };

/** Judges the raw bytes of a request, before anything parses them. Expired secrets no longer count. */
export function verify(
  { clock, insecure, relayKey }: Pick<PipelineContext, 'clock' | 'insecure' | 'relayKey'>,
  webhook: Webhook,
  request: RawRequest,
): Verification {
  if (insecure.has(webhook.name)) return { ok: true, trust: 'unverified', seal: null };
  const now = clock.now();
  const secrets = activeSecrets(webhook, now);
  const verdict = webhook.provider.verify(request, secrets, now);
  if (verdict.ok) {
    const { seal = digestOf(request, secrets[verdict.secretIndex]) } = verdict;
    return { ok: true, trust: 'verified', seal };
  }
  if (verdict.cause !== 'signature_wrong' || !isRelayed(request.headers, relayKey))
    return { ok: false, verdict };
  return webhook.allowUnverifiable
    ? { ok: true, trust: 'unverified', seal: null }
    : { ok: false, verdict: { ok: false, cause: 'unverifiable', detail: RELAY_VERDICT } };
}

/** Takes the place of the signature where a provider verifies by code of its own and does not tell which one fitted. */
function digestOf({ body }: RawRequest, secret: WebhookSecret | undefined): string | null {
  if (secret === undefined) return null;
  return createHmac('sha256', secret.value.reveal()).update(body).digest('base64url');
}
