import { randomUUID } from 'node:crypto';
import { webhookOf } from '../../deliveries/replay.ts';
import { failure } from '../../errors.ts';
import type { Services } from '../../services.ts';
import type { Headers, Provider, RawRequest, Secret, Webhook } from '../../types.ts';

/** Signs a stored request again. Throws `no_secret`, or what `sign` throws. */
type Resign = (webhookName: string, request: RawRequest) => Pick<RawRequest, 'headers'>;

const HOUR_MS = 3_600_000;

export async function createResigner(app: Services): Promise<Resign> {
  const { snapshot } = await app.configuration();
  return (webhookName, request) => {
    const webhook = webhookOf({ snapshot: () => snapshot }, { webhookName });
    const proof = proofOf(webhook.provider, request, secretOf(webhook, app.clock.now()), app.clock.now());
    return { headers: { ...request.headers, ...proof } };
  };
}

/**
 * The headers that prove a body: those that change with the body or the time, and those that were not
 * stored because they are secrets. All others stay as they were sent.
 */
export function proofOf(
  provider: Provider,
  { headers, body }: RawRequest,
  secret: Secret,
  now: number,
): Headers {
  const deliveryId = provider.deliveryId(headers) ?? randomUUID();
  const sign = (bytes: Uint8Array, at: number) =>
    // A type of no provider, so that none wraps the body into a form.
    provider.sign(bytes, { type: 'kept', secret, deliveryId, now: new Date(at) }).headers;
  const signed = sign(body, now);
  const other = sign(Buffer.concat([body, Buffer.from(' ')]), now + HOUR_MS);
  return Object.fromEntries(
    Object.entries(signed).filter(
      ([name, value]) => headers[name] === undefined || other[name] !== value || isSecret(provider, name),
    ),
  );
}

function isSecret({ secretHeaders }: Provider, name: string): boolean {
  return secretHeaders.includes(name) || name === 'authorization';
}

function secretOf({ name, secrets, secretSource }: Webhook, now: number): Secret {
  const valid = secrets.find(({ expiresAt }) => expiresAt === null || expiresAt > now);
  if (valid !== undefined) return valid.value;
  throw failure('no_secret', `${name} has no secret to sign with: ${secretSource}`);
}
