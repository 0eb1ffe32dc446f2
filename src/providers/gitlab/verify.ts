import type { RawRequest, Verdict, WebhookSecret } from '../../types.ts';
import { SIGNING_SECRET_PREFIX } from '../kit/secret-key.ts';
import { checkToken } from '../kit/signature.ts';
import { checkStandardWebhook } from '../kit/standard-webhooks.ts';

/** The plain token. It is the secret itself, so it is never stored. */
export const TOKEN_HEADER = 'x-gitlab-token';

/**
 * GitLab has a secret token, sent in clear, and since 2026 a signing token (`whsec_…`, Standard Webhooks); a hook may
 * have both. A signature that we can check decides, whatever token stands beside it. A signing token is no password:
 * it is not accepted in the token header.
 */
export function verify(request: RawRequest, secrets: readonly WebhookSecret[], now: number): Verdict {
  const signing = secrets.filter(isSigning);
  const tokens = secrets.filter((secret) => !isSigning(secret));
  const isSigned = request.headers['webhook-signature'] !== undefined;
  const bySignature = signing.length > 0 && (isSigned || tokens.length === 0);
  const used = bySignature ? signing : tokens;
  const verdict = bySignature
    ? checkStandardWebhook(request, used, now)
    : checkToken(request.headers[TOKEN_HEADER], used);
  const fitted = verdict.ok ? used[verdict.secretIndex] : undefined;
  return fitted === undefined || !verdict.ok ? verdict : { ...verdict, secretIndex: secrets.indexOf(fitted) };
}

function isSigning({ value }: WebhookSecret): boolean {
  return value.reveal().startsWith(SIGNING_SECRET_PREFIX);
}
