import { describe, expect, test } from 'vitest';
import type { Provider, RawRequest } from '../../src/types.ts';
import { bytes, hmac, NOW, request, secretsOf, signed } from '../providers/support.ts';
import { providers } from '../support/providers.ts';
import {
  ELSEWHERE,
  type Expected,
  header,
  MALFORMED,
  MISSING,
  type Mutation,
  OK,
  type Target,
  WRONG,
  without,
} from './mutations.ts';

/**
 * How each provider that verifies by code is signed in these tests: the header, and what stands before the digits.
 * Those that verify by settings are held to `hookctl/contract`, and to the same verdicts in `generic-verdicts.test.ts`.
 */
const SCHEMES: Readonly<
  Record<string, { readonly header: string; readonly prefix: string; readonly secret: string }>
> = {
  github: { header: 'x-hub-signature-256', prefix: 'sha256=', secret: 's3cret' },
  jira: { header: 'x-hub-signature', prefix: 'sha256=', secret: 's3cret' },
  slack: { header: 'x-slack-signature', prefix: 'v0=', secret: 's3cret' },
  sentry: { header: 'sentry-hook-signature', prefix: '', secret: 's3cret' },
  gitlab: {
    header: 'webhook-signature',
    prefix: 'v1,',
    secret: `whsec_${Buffer.from('gitlab-signing-token-of-32-bytes').toString('base64')}`,
  },
};

const HEX = 'abcdef0123456789'.repeat(4);
/** Escapes, `1.0`, spaces and an `é`: a re-serialised body has other bytes. */
const BODY = '{"b": 1.0, "a": "\\u00e9 \\/ é", "type": "x"}';

/** Mutation → what github, jira, slack, sentry and gitlab (signing token) make of it. */
const TABLE: readonly (readonly [string, Mutation, Expected | readonly Expected[]])[] = [
  ['nothing changed', ({ request: same }) => same, OK],
  ['header missing', (t) => ({ ...t.request, headers: without(t.request.headers, t.header) }), MISSING],
  ['header empty', header(() => ''), MISSING],
  ['the prefix only', header((t) => t.prefix), [MALFORMED, MALFORMED, MALFORMED, MISSING, MALFORMED]],
  ['without its prefix', header((t) => t.digits), [MALFORMED, MALFORMED, MALFORMED, OK, MALFORMED]],
  ['sha1= with a right SHA-1', header(() => `sha1=${hmac('s3cret', BODY, 'sha1').digest('hex')}`), MALFORMED],
  [
    'bare digits of a right SHA-1',
    header((t) => t.prefix + hmac('s3cret', BODY, 'sha1').digest('hex')),
    MALFORMED,
  ],
  ['upper case', header((t) => t.prefix + t.digits.toUpperCase()), [OK, OK, OK, OK, WRONG]],
  [
    'the prefix in upper case',
    header((t) => t.prefix.toUpperCase() + t.digits),
    [MALFORMED, MALFORMED, MALFORMED, OK, MALFORMED],
  ],
  ['base64 for hex', header((t) => t.prefix + Buffer.from(t.digits, 'hex').toString('base64')), MALFORMED],
  ['hex for base64', header((t) => t.prefix + HEX), [WRONG, WRONG, WRONG, WRONG, MALFORMED]],
  // A space separates the signatures of Standard Webhooks.
  ['a space behind', header((t) => `${t.value} `), [MALFORMED, MALFORMED, MALFORMED, MALFORMED, OK]],
  ['a space before', header((t) => ` ${t.value}`), [MALFORMED, MALFORMED, MALFORMED, MALFORMED, OK]],
  ['a tab behind', header((t) => `${t.value}\t`), MALFORMED],
  ['CR behind', header((t) => `${t.value}\r`), MALFORMED],
  ['one digit off', header((t) => t.prefix + swapFirst(t.digits)), WRONG],
  ['one digit less', header((t) => t.value.slice(0, -1)), MALFORMED],
  ['one digit more', header((t) => `${t.value}0`), MALFORMED],
  [
    'twice, right and wrong',
    header((t) => `${t.value}, ${t.prefix}${swapFirst(t.digits)}`),
    [MALFORMED, MALFORMED, MALFORMED, MALFORMED, WRONG],
  ],
  [
    'twice, wrong and right',
    header((t) => `${t.prefix}${swapFirst(t.digits)}, ${t.value}`),
    [MALFORMED, MALFORMED, MALFORMED, MALFORMED, OK],
  ],
  ['two values with a comma', header((t) => `${t.value},${t.value}`), MALFORMED],
  ['not ASCII', header((t) => `${t.prefix}é${t.digits.slice(1)}`), MALFORMED],
  ['another version', header((t) => `v2=${t.digits}`), MALFORMED],
  ['the scheme v1a', header((t) => `v1a,${t.digits}`), MALFORMED],
  ...ELSEWHERE,
];

const coded = providers.filter(({ name }) => name in SCHEMES);

describe.each(coded.map((provider, column) => [provider.name, provider, column] as const))(
  '%s',
  (_, provider, column) => {
    test.each(TABLE)('%s', (_, mutate, expected) => {
      const cause = typeof expected === 'string' ? expected : expected[column];
      expect(outcome(provider, mutate(target(provider)))).toBe(cause);
    });

    const { secret } = scheme(provider);
    const wrap = (text: string) =>
      provider.name === 'gitlab' ? `whsec_${Buffer.from(text).toString('base64')}` : text;
    test.each([
      ['no secret at all', [], 'no_secret'],
      ['the secret of another', [wrap('other')], WRONG],
      ['an empty secret', [wrap('')], WRONG],
      ['the secret and a newline', [`${secret}\n`], WRONG],
      [
        'the secret in upper case',
        [provider.name === 'gitlab' ? wrap('GITLAB') : secret.toUpperCase()],
        WRONG,
      ],
      ['a second secret, after a rotation', [wrap('new'), secret], OK],
      ['the first of two secrets', [secret, wrap('old')], OK],
    ] as const)('%s', (_, values, expected) => {
      expect(outcome(provider, target(provider).request, values)).toBe(expected);
    });

    test('a rotation tells which secret fitted', () => {
      const verdict = provider.verify(
        target(provider).request,
        secretsOf(wrap('new'), secret),
        NOW.getTime(),
      );
      expect(verdict).toMatchObject({ ok: true, secretIndex: 1 });
    });

    test('what anybody can sign with the empty key is not accepted', () => {
      const forged = header(
        (t) => t.prefix + hmac('', BODY).digest(provider.name === 'gitlab' ? 'base64' : 'hex'),
      );
      expect(outcome(provider, forged(target(provider)), [wrap('')])).toBe(WRONG);
    });
  },
);

function scheme(provider: Provider) {
  const found = SCHEMES[provider.name];
  if (found === undefined) throw new Error(`no scheme for ${provider.name}`);
  return found;
}

function target(provider: Provider): Target {
  const { header: name, prefix, secret } = scheme(provider);
  const incoming = signed(provider, bytes(BODY), { type: 'x', secret });
  const value = incoming.headers[name] ?? '';
  return {
    request: request(incoming.body, incoming.headers),
    header: name,
    prefix,
    value,
    digits: value.slice(prefix.length),
  };
}

function outcome(
  provider: Provider,
  incoming: RawRequest,
  secrets: readonly string[] = [scheme(provider).secret],
): Expected {
  const verdict = provider.verify(incoming, secretsOf(...secrets), NOW.getTime());
  return verdict.ok ? OK : verdict.cause;
}

function swapFirst(digits: string): string {
  return (digits.startsWith('a') ? 'b' : 'a') + digits.slice(1);
}
