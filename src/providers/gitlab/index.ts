import { getPath, parseJson } from '../../lib/json.ts';
import type { JsonObject, Provider, RawRequest, Verdict, WebhookSecret } from '../../types.ts';
import { defaultWebhook } from '../kit/default-webhook.ts';
import { SIGNING_SECRET_PREFIX } from '../kit/keys.ts';
import { idAt, textAt } from '../kit/payload.ts';
import { checkToken } from '../kit/signature.ts';
import { createProvider } from '../provider.ts';
import { STANDARD_WEBHOOKS, schemeOf } from '../scheme/scheme.ts';
import { signBy } from '../scheme/sign.ts';
import { amongAll, verifyAny } from '../scheme/verify.ts';
import { parse } from './parse.ts';
import { reply } from './reply.ts';

/** The plain token. It is the secret itself, so it is never stored. */
const TOKEN_HEADER = 'x-gitlab-token';

const SIGNING = schemeOf(STANDARD_WEBHOOKS);

/**
 * GitLab has a secret token, sent in clear, and since 2026 a signing token (`whsec_…`, Standard Webhooks); a hook may
 * have both. A signature that we can check decides, whatever token the request also has. A signing token is no password:
 * it is not accepted in the token header.
 */
function verify(request: RawRequest, secrets: readonly WebhookSecret[], now: number): Verdict {
  const signing = secrets.filter(isSigning);
  const tokens = secrets.filter((secret) => !isSigning(secret));
  const isSigned = request.headers['webhook-signature'] !== undefined;
  const bySignature = signing.length > 0 && (isSigned || tokens.length === 0);
  const used = bySignature ? signing : tokens;
  const verdict = bySignature
    ? verifyAny([SIGNING], request, used, now)
    : checkToken(request.headers[TOKEN_HEADER], used);
  return amongAll(verdict, used, secrets);
}

function isSigning({ value }: WebhookSecret): boolean {
  return value.reveal().startsWith(SIGNING_SECRET_PREFIX);
}

/** A commit names its author; notes, issues and merge requests have an `author_id`, which may be the sender's. */
function authorOf(payload: JsonObject, path: readonly string[]): string | null {
  if (path[0] === 'commits' && path[1] !== undefined)
    return textAt(payload, 'commits', path[1], 'author', 'name');
  if (path[0] === 'commit') return textAt(payload, 'commit', 'author', 'name');
  const author = idAt(getPath(payload, path.slice(0, 1)), 'author_id');
  return author !== null && author === idAt(payload, 'user', 'id')
    ? textAt(payload, 'user', 'username')
    : null;
}

const webhook = defaultWebhook('gitlab', [
  'Project: {{project.path_with_namespace}}',
  'Link: {{@event.url}}',
  '',
  '{{default issue.description (default merge_request.description object_attributes.description)}}',
]);

/**
 * GitLab, gitlab.com and self-managed. Its hooks are switched off after four failures in a row, whatever the status.
 * Source: docs.gitlab.com, "Webhooks" and "Webhook events"; gitlab-org/gitlab `web_hook_service.rb`.
 */
export const gitlab: Provider = createProvider({
  name: 'gitlab',
  defaultAssociations: ['member'],
  webhook,
  secretHeaders: [TOKEN_HEADER],

  verify,

  sign(body, { type, secret, deliveryId, now }) {
    const value = secret.reveal();
    const proof = value.startsWith(SIGNING_SECRET_PREFIX)
      ? signBy(SIGNING, { headers: {}, body }, { secret, deliveryId, now })
      : { [TOKEN_HEADER]: Buffer.from(value, 'utf8').toString('latin1') };
    return {
      body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'GitLab/hookctl',
        'idempotency-key': deliveryId,
        'x-gitlab-event': hookName(type),
        'x-gitlab-instance': 'https://gitlab.com',
        ...proof,
      },
    };
  },

  // The same on retries; `X-Gitlab-Event-UUID` is shared by hooks that call each other, and no delivery's own.
  deliveryId: (headers) => headers['webhook-id'] ?? headers['idempotency-key'] ?? null,
  eventName: (headers) => headers['x-gitlab-event'] ?? null,

  decode: ({ body }) => parseJson(body),
  parse,
  authorOf,
  reply,

  form: ({ url, secretCommand }) => ({
    URL: url,
    'Secret token': secretCommand,
    Trigger: 'Comments, Issues events, Merge request events',
    'SSL verification': 'on',
  }),
});

/** `merge_request.open` → `Merge Request Hook` */
function hookName(type: string): string {
  const words = (type.split('.')[0] ?? type).split('_');
  return [...words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)), 'Hook'].join(' ');
}
