import { providerNamed } from '../providers/index.ts';
import type { RawRequest, Trust, Verdict, Webhook } from '../types.ts';
import type { PipelineContext } from './context.ts';

/** Whether a request may enter, and why it is believed. */
export type Verification =
  | { readonly ok: true; readonly trust: Trust }
  | { readonly ok: false; readonly verdict: Extract<Verdict, { ok: false }> };

/** Judges the raw bytes of a request, before anything parses them. Expired secrets no longer count. */
export function verify(
  { clock, insecure }: Pick<PipelineContext, 'clock' | 'insecure'>,
  webhook: Webhook,
  request: RawRequest,
): Verification {
  if (insecure.has(webhook.name)) return { ok: true, trust: 'unverified' };
  const now = clock.now();
  const secrets = webhook.secrets.filter(({ expiresAt }) => expiresAt === null || now < expiresAt);
  const verdict = providerNamed(webhook.provider)?.verify(request, secrets, now);
  if (verdict === undefined) throw new Error(`webhook ${webhook.name} has no provider ${webhook.provider}`);
  return verdict.ok ? { ok: true, trust: 'verified' } : { ok: false, verdict };
}
