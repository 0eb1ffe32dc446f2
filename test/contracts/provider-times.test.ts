import { describe, expect, test } from 'vitest';
import type { Headers, Provider, RawRequest } from '../../src/types.ts';
import { bytes, hmac, NOW, request, secretsOf } from '../providers/support.ts';
import { providerNamed } from '../support/providers.ts';

const BODY = '{"type":"x"}';
const SECONDS = NOW.getTime() / 1000;
const KEY = Buffer.from('gitlab-signing-token-of-32-bytes');

/** A request whose signature is right for the timestamp as it stands, computed here. */
type Forge = (timestamp: string | undefined) => Headers;

const FORGES: Readonly<
  Record<string, { readonly secret: string; readonly header: string; readonly forge: Forge }>
> = {
  slack: {
    secret: 's3cret',
    header: 'x-slack-request-timestamp',
    forge: (timestamp) => ({
      ...(timestamp === undefined ? {} : { 'x-slack-request-timestamp': timestamp }),
      'x-slack-signature': `v0=${hmac('s3cret', `v0:${timestamp ?? ''}:${BODY}`).digest('hex')}`,
    }),
  },
  gitlab: {
    secret: `whsec_${KEY.toString('base64')}`,
    header: 'webhook-timestamp',
    forge: (timestamp) => ({
      'webhook-id': 'msg_1',
      ...(timestamp === undefined ? {} : { 'webhook-timestamp': timestamp }),
      'webhook-signature': `v1,${hmac(KEY, `msg_1.${timestamp ?? ''}.${BODY}`).digest('base64')}`,
    }),
  },
};

describe.each(Object.keys(FORGES))('%s', (name) => {
  const { secret, header, forge } = FORGES[name] ?? raise(name);
  const judge = (headers: Headers) =>
    outcome(providerNamed(name) ?? raise(name), request(bytes(BODY), headers), secret);

  test.each([
    ['now', String(SECONDS), 'accepted'],
    ['five minutes ago', String(SECONDS - 300), 'accepted'],
    ['in five minutes', String(SECONDS + 300), 'accepted'],
    ['a second more than five minutes ago', String(SECONDS - 301), 'timestamp_outside_window'],
    ['a second more than five minutes ahead', String(SECONDS + 301), 'timestamp_outside_window'],
    ['in milliseconds', String(SECONDS * 1000), 'timestamp_outside_window'],
    ['zero', '0', 'timestamp_outside_window'],
    ['missing', undefined, 'timestamp_invalid'],
    ['empty', '', 'timestamp_invalid'],
    ['twice', `${SECONDS}, ${SECONDS}`, 'timestamp_invalid'],
    ['digits and letters', `${SECONDS}abc`, 'timestamp_invalid'],
    ['with a fraction', `${SECONDS}.5`, 'timestamp_invalid'],
    ['negative', `-${SECONDS}`, 'timestamp_invalid'],
    ['with an exponent', '1.7e9', 'timestamp_invalid'],
    ['hexadecimal', '0x6563', 'timestamp_invalid'],
    ['a word', 'hello', 'timestamp_invalid'],
    ['other digits than 0 to 9', '١٧٠٠٠٠٠٠٠٠', 'timestamp_invalid'],
    ['too long for a number', '9'.repeat(400), 'timestamp_invalid'],
  ] as const)('a right signature over a time that is %s', (_, timestamp, expected) => {
    expect(judge(forge(timestamp))).toBe(expected);
  });

  test('a newer time under an old signature', () => {
    expect(judge({ ...forge(String(SECONDS - 3600)), [header]: String(SECONDS) })).toBe('signature_wrong');
  });
});

test('the unsigned time of Sentry neither proves nor refuses anything', () => {
  const headers = {
    'sentry-hook-timestamp': '1',
    'sentry-hook-signature': hmac('s3cret', BODY).digest('hex'),
  };
  expect(outcome(providerNamed('sentry') ?? raise('sentry'), request(bytes(BODY), headers), 's3cret')).toBe(
    'accepted',
  );
});

function outcome(provider: Provider, incoming: RawRequest, secret: string): string {
  const verdict = provider.verify(incoming, secretsOf(secret), NOW.getTime());
  return verdict.ok ? 'accepted' : verdict.cause;
}

function raise(name: string): never {
  throw new Error(`there is no ${name}`);
}
