import { randomUUID } from 'node:crypto';
import { failure } from '../../errors.ts';
import { OWN_HEADERS, type Provider, type RawRequest, type Secret, type Webhook } from '../../types.ts';
import type { PipelineContext } from '../context.ts';
import { webhookOf } from '../replay.ts';

/** Signs a stored request again for the URL that it is sent to. Throws `no_secret`, or what `sign` throws. */
type Resign = (webhookName: string, request: RawRequest, url: string) => RawRequest;

const HOUR_MS = 3_600_000;
/** Another URL, which changes what signs one. */
const ELSEWHERE = 'https://elsewhere.invalid/';

export function createResigner(context: Pick<PipelineContext, 'snapshot' | 'clock'>): Resign {
  return (webhookName, request, url) => {
    const webhook = webhookOf(context, { webhookName });
    const now = context.clock.now();
    return resigned(webhook.provider, request, { secret: secretOf(webhook, now), now, url });
  };
}

/** What a kept request is signed with. */
interface Resigning {
  readonly secret: Secret;
  /** Epoch ms. */
  readonly now: number;
  /** Where it goes, with its query string. */
  readonly url: string;
}

/**
 * A kept request with a new proof, where its sender puts it: in the query string, in the body, or in the headers that change
 * with body and time or were not stored because they are secrets. All else stays as it was sent.
 */
export function resigned(
  provider: Provider,
  request: RawRequest,
  { secret, now, url }: Resigning,
): RawRequest {
  const { headers, query, body } = request;
  const method = headers[OWN_HEADERS.method];
  const kept = { headers, query, ...(method !== undefined && { method }) };
  const deliveryId = provider.deliveryId(headers) ?? randomUUID();
  const sign = (bytes: Uint8Array, at: number, to: string) =>
    // A type of no provider, so that none wraps the body into a form.
    provider.sign(bytes, { type: 'kept', secret, deliveryId, now: new Date(at), url: to, kept });
  const signed = sign(body, now, url);
  const other = sign(Buffer.concat([body, Buffer.from(' ')]), now + HOUR_MS, ELSEWHERE).headers;
  const proof = Object.entries(signed.headers).filter(
    ([name, value]) => headers[name] === undefined || other[name] !== value || isSecret(provider, name),
  );
  const sent = { ...headers, ...Object.fromEntries(proof) };
  return { ...request, headers: sent, query: signed.query ?? query, body: signed.body };
}

function isSecret({ secretHeaders }: Provider, name: string): boolean {
  return secretHeaders.includes(name) || name === 'authorization';
}

function secretOf({ name, secrets, secretSource }: Webhook, now: number): Secret {
  const valid = secrets.find(({ expiresAt }) => expiresAt === null || expiresAt > now);
  if (valid !== undefined) return valid.value;
  throw failure('no_secret', `${name} has no secret to sign with: ${secretSource}`);
}
