import { isRelayed, RELAY_VERDICT } from '../tunnels/relay.ts';
import type { RawRequest, Trust, Verdict, Webhook } from '../types.ts';
import { activeSecrets } from './active-secrets.ts';
import type { PipelineContext } from './context.ts';

/** Whether a request may enter, and why it is believed. */
export type Verification =
  | { readonly ok: true; readonly trust: Trust }
  | { readonly ok: false; readonly verdict: Extract<Verdict, { ok: false }> };

/** Judges the raw bytes of a request, before anything parses them. Expired secrets no longer count. */
export function verify(
  { clock, insecure, relayKey }: Pick<PipelineContext, 'clock' | 'insecure' | 'relayKey'>,
  webhook: Webhook,
  request: RawRequest,
): Verification {
  if (insecure.has(webhook.name)) return { ok: true, trust: 'unverified' };
  const now = clock.now();
  const verdict = webhook.protocol.verify(request, activeSecrets(webhook, now), now);
  if (verdict.ok) return { ok: true, trust: 'verified' };
  if (verdict.cause !== 'signature_wrong' || !isRelayed(request.headers, relayKey))
    return { ok: false, verdict };
  return webhook.allowUnverifiable
    ? { ok: true, trust: 'unverified' }
    : { ok: false, verdict: { ok: false, cause: 'unverifiable', detail: RELAY_VERDICT } };
}
