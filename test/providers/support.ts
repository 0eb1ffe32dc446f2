import { createHmac } from 'node:crypto';
import { secret } from '../../src/lib/redact/redact.ts';
import type {
  Headers,
  JsonObject,
  Parsed,
  Provider,
  RawRequest,
  WebhookEvent,
  WebhookSecret,
} from '../../src/types.ts';

/** The moment in which all requests of these tests are made. */
export const NOW = new Date('2026-11-23T12:00:00.000Z');

/** Numbers that differ on every call, the same in every run. */
export function counter(start = 1_000_000): () => number {
  let number = start;
  return () => ++number;
}

export function secretsOf(...values: readonly string[]): readonly WebhookSecret[] {
  return values.map((value) => ({ value: secret(value), expiresAt: null }));
}

export function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

export function json(payload: unknown): Uint8Array {
  return bytes(JSON.stringify(payload));
}

export function request(body: Uint8Array, headers: Headers = {}, query = ''): RawRequest {
  return { headers, body, query };
}

/** An HMAC that owes nothing to the code under test. */
export function hmac(key: string | Uint8Array, data: string, algorithm = 'sha256') {
  return createHmac(algorithm, key).update(data);
}

export interface Signing {
  readonly type: string;
  readonly secret?: string;
  readonly now?: Date;
  readonly deliveryId?: string;
}

/** A body as the provider would send it. */
export function signed(
  provider: Provider,
  body: Uint8Array,
  { type, secret: value = 's3cret', now = NOW, deliveryId = 'b1a2c3d4-0000-4000-8000-000000000001' }: Signing,
): RawRequest {
  const url = 'https://hooks.example.com/webhooks/any';
  const context = { type, secret: secret(value), deliveryId, now, url };
  return { query: '', publicUrl: () => url, ...provider.sign(body, context) };
}

/** A sample's payload; `change` may replace parts of it. */
export function samplePayload(
  provider: Provider,
  type: string,
  text: string | null = '@agent analyze',
): JsonObject {
  const sample = provider.samples.find((each) => each.type === type);
  if (sample === undefined) throw new Error(`${provider.name} has no sample ${type}`);
  return sample.build({ text, now: NOW, nextNumber: counter() });
}

/** The one event of a request; throws when there is none or it could not be parsed. */
export function onlyEvent(parsed: Parsed): WebhookEvent {
  if (!parsed.ok) throw new Error(parsed.reason);
  const [event, ...more] = parsed.events;
  if (event === undefined || more.length > 0) throw new Error(`${parsed.events.length} events`);
  return event;
}

/** The keys under which a second delivery of the same act is recognised. */
export function keysOf(parsed: Parsed): readonly string[] {
  if (!parsed.ok) throw new Error(parsed.reason);
  return [...parsed.semanticKeys, ...(parsed.bytesKey === undefined ? [] : [parsed.bytesKey()])];
}
