import { createHash, createHmac, createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { generic } from '../../src/providers/generic/index.ts';
import { HANDSHAKES } from '../../src/providers/receive/forms.ts';
import { findHandshake } from '../../src/providers/receive/handshake.ts';
import type { Headers, JsonObject, Provider, RawRequest } from '../../src/types.ts';
import { NOW, secretsOf } from './support.ts';

/* Proofs that somebody makes who has no secret: each is refused, and none makes the judging throw. */

const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const SECONDS = Math.floor(NOW.getTime() / 1000);
const BODY = '{"type":"order.paid"}';

function shaped(settings: JsonObject): Provider {
  const configured = generic.configure?.(settings);
  if (configured?.ok !== true) throw new Error(JSON.stringify(configured));
  return configured.provider;
}

async function outcome(
  settings: JsonObject,
  given: Partial<RawRequest> & { readonly headers: Headers },
  secret = 'a-shared-secret',
): Promise<string> {
  const provider = shaped(settings);
  const request: RawRequest = {
    ...{ body: Buffer.from(BODY), query: '', method: 'POST', path: '/webhooks/x', ...given },
    publicUrl: () => 'https://hooks.example.com/webhooks/x',
  };
  const args = [request, secretsOf(secret), NOW.getTime()] as const;
  const verdict = (await provider.verifyAsync?.(...args)) ?? provider.verify(...args);
  return verdict.ok ? 'accepted' : verdict.cause;
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const CLAIMS = { iat: SECONDS, exp: SECONDS + 60 };

function token(header: object, signed: (data: string) => Buffer): string {
  const data = `${part(header)}.${part(CLAIMS)}`;
  return `Bearer ${data}.${signed(data).toString('base64url')}`;
}
const hs256 = (key: string) => (data: string) => createHmac('sha256', key).update(data).digest();
const by = (key: KeyObject) => (data: string) => createSign('sha256').update(data).sign(key);

const EC_PEM = EC.publicKey.export({ format: 'pem', type: 'spki' }) as string;
const PEM = RSA.publicKey.export({ format: 'pem', type: 'spki' }) as string;
const DER = (RSA.publicKey.export({ format: 'der', type: 'spki' }) as Buffer).toString('base64');
const JWK = JSON.stringify(RSA.publicKey.export({ format: 'jwk' }));

describe('a JSON Web Token', () => {
  const judge = (authorization: string, settings: JsonObject, secret?: string) =>
    outcome({ scheme: 'jwt', ...settings }, { headers: { authorization } }, secret);

  test('that is right is accepted, so that the others below fail for their own reason', async () => {
    const right = token({ alg: 'RS256' }, by(RSA.privateKey));
    for (const form of [PEM, DER, JWK]) {
      expect(await judge(right, {}, form)).toBe('accepted');
      expect(await judge(right, { publicKey: form })).toBe('accepted');
    }
    expect(await judge(token({ alg: 'HS256' }, hs256('a-shared-secret')), {})).toBe('accepted');
  });

  test.each([
    ['PEM', PEM],
    ['base64', DER],
    ['JWK', JWK],
  ])('signed with the public key as a shared secret is refused: %s', async (_, form) => {
    const forged = token({ alg: 'HS256' }, hs256(form));
    expect(await judge(forged, {}, form)).toBe('signature_wrong');
    expect(await judge(forged, { publicKey: form })).toBe('signature_wrong');
  });

  const none = `Bearer ${part({ alg: 'none' })}.${part(CLAIMS)}.`;
  const own = token({ alg: 'RS256', jwk: RSA.publicKey.export({ format: 'jwk' }) }, by(RSA.privateKey));
  const crit = token({ alg: 'HS256', crit: ['x'], x: 1 }, hs256('a-shared-secret'));
  const bare = token({ alg: 'HS256', b64: false, crit: ['b64'] }, hs256('a-shared-secret'));
  test.each([
    ['no algorithm', none, 'signature_wrong'],
    ['a key that it brings along', own, 'signature_wrong'],
    ['a critical header that is not known', crit, 'signature_wrong'],
    ['a payload that is not encoded', bare, 'signature_wrong'],
    ['two tokens', `${token({ alg: 'HS256' }, hs256('a-shared-secret'))}, x`, 'signature_wrong'],
    ['no dot', 'Bearer abc', 'signature_malformed'],
    ['a header that is no object', `Bearer ${part([])}.${part(CLAIMS)}.AA`, 'signature_malformed'],
  ])('%s', async (_, authorization, cause) => {
    expect(await judge(authorization, {})).toBe(cause);
  });
});

describe('an HTTP message signature', () => {
  const digest = `sha-256=:${createHash('sha256').update(BODY).digest('base64')}:`;
  const signed = (
    components: string,
    base: string,
    signature: (text: string) => Buffer,
    more: Headers = {},
  ) => {
    const params = `(${components});created=${SECONDS}`;
    const text = `${base}"@signature-params": ${params}`;
    return {
      'content-digest': digest,
      'signature-input': `s=${params}`,
      signature: `s=:${signature(text).toString('base64')}:`,
      ...more,
    };
  };
  const shared = (text: string) => createHmac('sha256', 'a-shared-secret').update(text).digest();
  const judge = (headers: Headers, secret?: string, query = '') =>
    outcome({ scheme: 'message-signature' }, { headers, query }, secret);
  const line = `"content-digest": ${digest}\n`;

  test('that is right is accepted', async () => {
    expect(await judge(signed('"content-digest"', line, shared))).toBe('accepted');
    const parameter = '"content-digest" "@query-param";name="a%20b"';
    const base = `${line}"@query-param";name="a%20b": it%27s\n`;
    expect(await judge(signed(parameter, base, shared), undefined, 'a+b=it%27s')).toBe('accepted');
    const ec = (text: string) =>
      sign('sha256', Buffer.from(text), { key: EC.privateKey, dsaEncoding: 'ieee-p1363' });
    for (const form of [
      EC_PEM,
      (EC.publicKey.export({ format: 'der', type: 'spki' }) as Buffer).toString('base64'),
    ]) {
      expect(await judge(signed('"content-digest"', line, ec), form)).toBe('accepted');
    }
  });

  test.each([
    ['PEM', PEM],
    ['base64', DER],
    ['JWK', JWK],
  ])('by an HMAC under the public key is refused: %s', async (_, form) => {
    const forged = signed('"content-digest"', line, (text) =>
      createHmac('sha256', form).update(text).digest(),
    );
    expect(await judge(forged, form)).toBe('signature_wrong');
  });

  test.each([
    ['a component that every object has', '"content-digest" "constructor"'],
    ['a prototype', '"content-digest" "__proto__"'],
    ['a query parameter that cannot be decoded', '"content-digest" "@query-param";name="%"'],
    ['a component twice', '"content-digest" "content-digest"'],
    ['the digest of another message', '"content-digest";req'],
    ['the status of an answer', '"content-digest" "@status"'],
  ])('names %s', async (_, components) => {
    expect(await judge(signed(components, line, shared))).toBe('signature_malformed');
  });

  test.each([
    ['two digests, one of them wrong', { 'content-digest': `${digest}, sha-512=:AAAA:` }, 'signature_wrong'],
    ['a digest of a kind that proves nothing', { 'content-digest': 'md5=:AAAA:' }, 'signature_wrong'],
    ['two signatures of one label', { signature: 's=:AAAA:, s=:AAAA:' }, 'signature_malformed'],
    ['an empty signature', { signature: 's=::' }, 'signature_malformed'],
    ['two inputs of one label', { 'signature-input': 's=("content-digest"), s=()' }, 'signature_malformed'],
  ])('%s', async (_, changed, cause) => {
    expect(await judge(signed('"content-digest"', line, shared, changed))).toBe(cause);
  });
});

describe('signed fields', () => {
  const settings = {
    ...{ scheme: 'rsa', publicKey: PEM, signature: 'Signature' },
    signedContent: '{fields:Message,MessageId,Subject}TopicArn\n{secret}\n',
  };
  const sent = (fields: Readonly<Record<string, string>>) => {
    const content = 'Message\nSell\nMessageId\nm-1\nSubject\nNothing\nTopicArn\narn:mine\n';
    const Signature = sign('sha256', Buffer.from(content), RSA.privateKey).toString('base64');
    return { headers: {}, body: Buffer.from(JSON.stringify({ ...fields, Signature })) };
  };

  test('that are right are accepted', async () => {
    const right = { Message: 'Sell', MessageId: 'm-1', Subject: 'Nothing' };
    expect(await outcome(settings, sent(right), 'arn:mine')).toBe('accepted');
  });

  test.each([
    ['one moved into another', { Message: 'Sell\nMessageId\nm-1\nSubject\nNothing' }],
    ['the last moved', { Message: 'Sell', MessageId: 'm-1\nSubject\nNothing' }],
    ['the one between moved', { Message: 'Sell\nMessageId\nm-1', Subject: 'Nothing' }],
  ])('%s are refused, though the signed bytes are the same', async (_, fields) => {
    expect(await outcome(settings, sent(fields), 'arn:mine')).toBe('signature_malformed');
  });
});

describe('a handshake', () => {
  const rules = [HANDSHAKES.dropbox, HANDSHAKES.slack, HANDSHAKES.asana].filter((rule) => rule !== undefined);
  const find = (method: string, given: Partial<RawRequest>) =>
    findHandshake(rules, method, { headers: {}, query: '', body: Buffer.from(''), ...given });

  test('that is right is found', () => {
    expect(find('GET', { query: 'challenge=1' })).toMatchObject({ challenge: '1' });
    const body = Buffer.from('{"type":"url_verification","challenge":"abc"}');
    expect(find('POST', { body })).toMatchObject({ challenge: 'abc' });
  });

  const slack = (challenge: unknown) => ({
    body: Buffer.from(JSON.stringify({ type: 'url_verification', challenge })),
  });
  test.each([
    ['a parameter twice', 'GET', { query: 'challenge=1&challenge=2' }],
    ['a parameter with a line end', 'GET', { query: 'challenge=a%0d%0aset-cookie:%20x' }],
    ['a page', 'GET', { query: `challenge=${'x'.repeat(5_000)}` }],
    ['a challenge that is an object', 'POST', slack({ a: 1 })],
    ['a challenge behind a zero byte', 'POST', slack('a\0b')],
    ['a body of 65 KB', 'POST', { body: Buffer.concat([slack('abc').body, Buffer.alloc(65_536, ' ')]) }],
    ['a secret that no header may carry', 'POST', { headers: { 'x-hook-secret': 'é' } }],
  ] satisfies readonly (readonly [string, string, Partial<RawRequest>])[])('%s', (_, method, given) => {
    expect(find(method, given)).toBeNull();
  });
});

describe('other proofs', () => {
  const hmac = createHmac('sha256', 'a-shared-secret').update(BODY).digest('hex');
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  test.each([
    ['an HMAC twice', { header: 'x-sig' }, { 'x-sig': `${hmac}, ${hmac}` }],
    [
      'an HMAC with a blank in it',
      { header: 'x-sig' },
      { 'x-sig': `${hmac.slice(0, 32)} ${hmac.slice(32)}` },
    ],
    ['an HMAC and more', { header: 'x-sig' }, { 'x-sig': `${hmac}00` }],
    ['digits beyond ASCII', { header: 'x-sig' }, { 'x-sig': hmac.replaceAll('1', 'ı') }],
    ['nothing', { header: 'x-sig' }, { 'x-sig': '' }],
    [
      'a token twice',
      { scheme: 'token' },
      { authorization: 'Bearer a-shared-secret, Bearer a-shared-secret' },
    ],
    ['a token in another case', { scheme: 'token' }, { authorization: 'Bearer A-SHARED-SECRET' }],
    ['a token with a zero byte', { scheme: 'token' }, { authorization: 'Bearer a-shared-secret\0' }],
    ['a password of another user', { scheme: 'basic' }, { authorization: basic('root:a-shared-secret') }],
    ['no user', { scheme: 'basic' }, { authorization: basic(':a-shared-secret') }],
    ['no base64', { scheme: 'basic' }, { authorization: 'Basic hookctl:a-shared-secret' }],
    ['a signature of no length', { scheme: 'ecdsa', publicKey: EC_PEM }, { 'x-signature': 'AA==' }],
    [
      '64 zeros',
      { scheme: 'ecdsa', publicKey: EC_PEM },
      { 'x-signature': Buffer.alloc(64).toString('base64') },
    ],
    [
      'a hash without the secret',
      { scheme: 'hash', signedContent: '{secret}{body}' },
      { 'x-signature': createHash('sha256').update(BODY).digest('hex') },
    ],
    [
      'a certificate that no proxy checked',
      { scheme: 'client-cert', proxies: '10.0.0.1' },
      { 'x-client-cert-fingerprint': 'a-shared-secret' },
    ],
  ] satisfies readonly (readonly [string, JsonObject, Headers])[])('%s', async (_, settings, headers) => {
    expect(await outcome(settings, { headers, address: '10.0.0.2' })).toMatch(/^signature_/);
  });
});
