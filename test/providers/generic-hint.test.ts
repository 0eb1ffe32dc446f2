import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { generic } from '../../src/providers/generic/index.ts';
import type { JsonObject } from '../../src/types.ts';
import { bytes, hmac, NOW, request, secretsOf } from './support.ts';

const TIME = String(NOW.getTime() / 1000);
const KEY = Buffer.from('a key of some bytes');

function hint(
  settings: JsonObject,
  headers: Record<string, string>,
  body = '{}',
  secret = 'key',
): string | null {
  const configured = generic.configure?.(settings);
  if (configured?.ok !== true) throw new Error(JSON.stringify(configured));
  return configured.provider.hint?.(request(bytes(body), headers), secretsOf(secret), NOW.getTime()) ?? null;
}

const hex = (signed: string) => hmac('key', signed).digest('hex');

describe('a request that is refused', () => {
  test.each([
    [
      'was signed without the time',
      { header: 'x-sig', signedContent: '{timestamp}.{body}', timestamp: 'header:x-time' },
      { 'x-sig': hex('{}'), 'x-time': TIME },
      'computed over `{timestamp}.{body}`; the signature would fit `{body}`',
    ],
    [
      'was signed with the time',
      { header: 'x-sig' },
      { 'x-sig': hex(`${TIME}.{}`), 'x-timestamp': TIME },
      'computed over `{body}`; the signature would fit `{timestamp}.{body}` with timestamp: header:x-timestamp',
    ],
    [
      'was signed like Stripe',
      { header: 'stripe-signature', prefix: 'v1=' },
      { 'stripe-signature': `t=${TIME},v1=${hex(`${TIME}.{}`)}` },
      'computed over `{body}`; the signature would fit `{timestamp}.{body}` with timestamp: part:t, separator: ","',
    ],
    [
      'was signed like Standard Webhooks',
      { header: 'webhook-signature' },
      {
        'webhook-id': 'm1',
        'webhook-timestamp': TIME,
        'webhook-signature': `v1,${hmac('key', `m1.${TIME}.{}`).digest('base64')}`,
      },
      'computed over `{body}`; the signature would fit `{id}.{timestamp}.{body}` with prefix: "v1,", encoding: base64, timestamp: header:webhook-timestamp, deliveryId: header:webhook-id',
    ],
    [
      'stands in another header',
      { header: 'x-sig' },
      { 'x-hub-signature-256': `sha256=${hex('{}')}` },
      'the signature would fit with header: x-hub-signature-256, prefix: "sha256="',
    ],
    [
      'is written in base64, by another hash',
      { header: 'x-sig' },
      { 'x-sig': hmac('key', '{}', 'sha512').digest('base64') },
      'the signature would fit with encoding: base64, algorithm: sha512',
    ],
    [
      'has its time in milliseconds',
      { header: 'x-sig', signedContent: '{timestamp}.{body}', timestamp: 'header:x-time' },
      { 'x-sig': hex(`${NOW.getTime()}.{}`), 'x-time': String(NOW.getTime()) },
      'the time has 13 digits: set timestampUnit: ms',
    ],
  ])('%s: it is said what to set', (_, settings, headers, expected) => {
    expect(hint(settings, headers as Record<string, string>)).toBe(expected);
  });

  test.each<readonly [string, JsonObject, Record<string, string>, string | null]>([
    [
      'a blank after the prefix',
      {},
      { 'x-hub-signature-256': `sha256= ${hex('{}')}` },
      'the signature would fit with prefix: "sha256= "',
    ],
    [
      'a colon after the prefix',
      { header: 'x-sig' },
      { 'x-sig': `sha256:${hex('{}')}` },
      'the signature would fit with prefix: "sha256:"',
    ],
    [
      'one of a list',
      { header: 'x-sig' },
      { 'x-sig': `v0=${hex('other')},v1=${hex('{}')}` },
      'the signature would fit with prefix: "v1=", separator: ","',
    ],
    [
      'another header, whose prefix is no longer the default',
      {},
      { 'x-signature': `sha256=${hex('{}')}` },
      'the signature would fit with header: x-signature, prefix: "sha256="',
    ],
    ['digits in quotes, which no prefix expresses', { header: 'x-sig' }, { 'x-sig': `"${hex('{}')}"` }, null],
    [
      'a time in milliseconds beside other bytes',
      { header: 'x-sig' },
      { 'x-sig': hex(`${NOW.getTime()}.{}`), 'x-timestamp': String(NOW.getTime()) },
      'computed over `{body}`; the signature would fit `{timestamp}.{body}` with timestamp: header:x-timestamp, timestampUnit: ms',
    ],
    [
      'a wrong signature and a time in milliseconds',
      { header: 'x-sig', signedContent: '{timestamp}.{body}', timestamp: 'header:x-time' },
      { 'x-sig': hex('other'), 'x-time': String(NOW.getTime()) },
      null,
    ],
  ])('D7: %s: a hint is told only when the request verifies by it', (_, settings, headers, expected) => {
    expect(hint(settings, headers)).toBe(expected);
    const named = [...(expected ?? '').matchAll(/(\w+): (?:"([^"]*)"|([^, ]+))/g)];
    const content = /would fit `([^`]+)`/.exec(expected ?? '')?.[1];
    const changed = {
      ...settings,
      ...(content !== undefined && { signedContent: content }),
      ...Object.fromEntries(named.map(([, name, quoted, plain]) => [name, quoted ?? plain])),
    };
    const configured = generic.configure?.(changed as JsonObject);
    if (configured?.ok !== true) throw new Error(JSON.stringify(configured));
    const verdict = configured.provider.verify(
      request(bytes('{}'), headers),
      secretsOf('key'),
      NOW.getTime(),
    );
    expect(verdict.ok).toBe(expected !== null);
  });

  test('D7: without a prefix the reason names the digits alone', () => {
    const configured = generic.configure?.({ header: 'x-sig' });
    if (configured?.ok !== true) throw new Error('refused');
    const given = request(bytes('{}'), { 'x-sig': 'sha256=00' });
    expect(configured.provider.verify(given, secretsOf('key'), NOW.getTime())).toMatchObject({
      cause: 'signature_malformed',
      detail: 'the signature is not hex digits alone',
    });
  });

  test('was signed with the decoded secret', () => {
    const headers = { 'x-sig': hmac(KEY, '{}').digest('hex') };
    expect(hint({ header: 'x-sig' }, headers, '{}', KEY.toString('base64'))).toBe(
      'the signature would fit with secretEncoding: base64',
    );
    expect(hint({ header: 'x-sig' }, headers, '{}', KEY.toString('hex'))).toBe(
      'the signature would fit with secretEncoding: hex',
    );
    expect(hint({ header: 'x-sig' }, headers, '{}', `whsec_${KEY.toString('base64')}`)).toBe(
      'the signature would fit with secretEncoding: whsec',
    );
  });

  test('cannot be checked, because the secret is not written as the setting says', () => {
    expect(hint({ header: 'x-sig', secretEncoding: 'hex' }, { 'x-sig': hex('?') })).toBe(
      'the secret is not written in hex, as secretEncoding says',
    );
  });

  test('is signed by a key pair over other bytes', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const key = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
    const signature = sign(null, bytes(`${TIME}{}`), privateKey).toString('hex');
    const headers = { 'x-sig': signature, 'x-signature-timestamp': TIME };
    expect(hint({ scheme: 'ed25519', header: 'x-sig' }, headers, '{}', key)).toBe(
      'computed over `{body}`; the signature would fit `{timestamp}{body}` with timestamp: header:x-signature-timestamp',
    );
  });

  test('brings its token elsewhere', () => {
    expect(hint({ scheme: 'token' }, { 'x-token': 'key' })).toBe(
      'the token would fit with header: x-token, prefix: ""',
    );
    expect(
      hint({ scheme: 'token', header: 'authorization', prefix: '' }, { authorization: 'Bearer key' }),
    ).toBe('the token would fit with prefix: "Bearer "');
  });
});

test('nothing is said of what does not fit: not a word of a stranger, no signature, no secret', () => {
  const stranger = { 'x-sig': 'a'.repeat(64), 'x-other': 'hello', 'x-timestamp': TIME };
  expect(hint({ header: 'x-sig' }, stranger)).toBeNull();
  expect(hint({ scheme: 'token' }, { authorization: 'Bearer other' })).toBeNull();
  const found = hint({ header: 'x-sig' }, { 'x-signature': hex('{}') }) ?? '';
  expect(found).toContain('x-signature');
  expect(found).not.toContain(hex('{}'));
});

test('the time that a hint takes is bounded, and says nothing of what was found', () => {
  const body = 'x'.repeat(5 * 1024 * 1024);
  // More than may be hashed: even what would fit is not looked for.
  expect(hint({ header: 'x-sig' }, { 'x-signature': hmac('key', body).digest('hex') }, body)).toBeNull();
  const many = Array.from({ length: 1_000 }, () => 'a'.repeat(64)).join(',');
  hint({ header: 'x-sig' }, { 'x-sig': many }, 'x'.repeat(512 * 1024));
});
