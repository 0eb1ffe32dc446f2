import { describe, expect, test } from 'vitest';
import { PRESETS } from '../../src/providers/presets/list.ts';
import type { Provider, RawRequest } from '../../src/types.ts';
import { bytes, hmac, NOW, request, secretsOf, signed } from '../providers/support.ts';
import { providerNamed, providers } from '../support/providers.ts';
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

const base64 = (text: string) => Buffer.from(text).toString('base64');
const plain = (text: string) => text;
const whsec = (text: string) => (text === '' ? '' : `whsec_${base64(text.padEnd(24, '.'))}`);
const whsk = (text: string) => (text === '' ? '' : `whsk_${base64(text.padEnd(32, '.'))}`);

/** How a preset is signed: the header, what stands before the digits, and how a text becomes a secret. */
interface Scheme {
  readonly header: string;
  readonly prefix: string;
  readonly secretOf: (text: string) => string;
}
const SCHEMES: Readonly<Record<string, Scheme>> = {
  gitea: { header: 'x-forgejo-signature', prefix: '', secretOf: plain },
  bitbucket: { header: 'x-hub-signature', prefix: 'sha256=', secretOf: plain },
  linear: { header: 'linear-signature', prefix: '', secretOf: plain },
  discord: { header: 'x-signature-ed25519', prefix: '', secretOf: whsk },
  pagerduty: { header: 'x-pagerduty-signature', prefix: 'v1=', secretOf: plain },
  stripe: { header: 'stripe-signature', prefix: 'v1=', secretOf: plain },
  shopify: { header: 'x-shopify-hmac-sha256', prefix: '', secretOf: plain },
  standard: { header: 'webhook-signature', prefix: 'v1,', secretOf: whsec },
};
/** Those that sign nothing: the token in `Authorization` is all. */
const TOKENS = ['alertmanager', 'grafana', 'registry'];

interface PresetTarget extends Target {
  /** What stands before the prefix: Stripe's time. */
  readonly lead: string;
}

/** Escapes, `1.0`, spaces and an `é`: a re-serialised body has other bytes. The time is Linear's. */
const BODY = `{"b": 1.0, "a": "\\u00e9 \\/ é", "type": "x", "webhookTimestamp": ${NOW.getTime()}}`;
const OTHER_DIGITS = 'abcdef0123456789'.repeat(4);

const NO_TIME = 'timestamp_invalid';
const NO_PREFIX = (cause: Expected) => ({ gitea: cause, linear: cause, discord: cause, shopify: cause });

/** Mutation, what presets make of it, and which of them make something else of it. */
const TABLE: readonly (readonly [
  string,
  Mutation<PresetTarget>,
  Expected,
  Readonly<Record<string, Expected>>?,
])[] = [
  ['nothing changed', ({ request: same }) => same, OK],
  ['header missing', (t) => ({ ...t.request, headers: without(t.request.headers, t.header) }), MISSING],
  ['header empty', header(() => ''), MISSING],
  ['the prefix only', header((t) => t.lead + t.prefix), MALFORMED, NO_PREFIX(MISSING)],
  ['without its prefix', header((t) => t.lead + t.digits), MALFORMED, NO_PREFIX(OK)],
  ['sha1= with a right SHA-1', header((t) => `${t.lead}sha1=${sha1()}`), MALFORMED],
  ['bare digits of a right SHA-1', header((t) => t.lead + t.prefix + sha1()), MALFORMED],
  [
    'upper case',
    header((t) => t.lead + t.prefix + t.digits.toUpperCase()),
    OK,
    { shopify: WRONG, standard: MALFORMED },
  ],
  [
    'the prefix in upper case',
    header((t) => t.lead + t.prefix.toUpperCase() + t.digits),
    MALFORMED,
    NO_PREFIX(OK),
  ],
  ['digits of the other encoding', header((t) => t.lead + t.prefix + recoded(t.digits)), MALFORMED],
  ['digits of something else', header((t) => t.lead + t.prefix + foreign(t)), WRONG],
  // A space separates the signatures of Standard Webhooks.
  ['a space behind', header((t) => `${t.value} `), MALFORMED, { standard: OK }],
  ['a space before', header((t) => ` ${t.value}`), MALFORMED, { standard: OK, stripe: NO_TIME }],
  ['a tab behind', header((t) => `${t.value}\t`), MALFORMED],
  ['CR behind', header((t) => `${t.value}\r`), MALFORMED],
  ['one digit off', header((t) => t.lead + t.prefix + swapFirst(t.digits)), WRONG],
  ['one digit less', header((t) => t.value.slice(0, -1)), MALFORMED],
  ['one digit more', header((t) => `${t.value}0`), MALFORMED],
  [
    // Where a list is separated by commas, a header that came twice is a list: any one of it may fit.
    'twice, right and wrong',
    header((t) => `${t.value}, ${t.prefix}${swapFirst(t.digits)}`),
    MALFORMED,
    { stripe: OK, pagerduty: OK, standard: WRONG },
  ],
  [
    'twice, wrong and right',
    header((t) => `${t.lead}${t.prefix}${swapFirst(t.digits)}, ${t.prefix}${t.digits}`),
    MALFORMED,
    // The blank behind the comma is no part of the second (F19).
    { stripe: OK, pagerduty: OK, standard: OK },
  ],
  [
    'two values with a comma',
    header((t) => `${t.value},${t.value}`),
    MALFORMED,
    { pagerduty: OK, stripe: NO_TIME },
  ],
  ['not ASCII', header((t) => `${t.lead}${t.prefix}é${t.digits.slice(1)}`), MALFORMED],
  ['another version', header((t) => `${t.lead}v2=${t.digits}`), MALFORMED],
  ['the scheme v0', header((t) => `${t.lead}v0=${t.digits}`), MALFORMED],
  ...ELSEWHERE,
];

describe.each(Object.keys(SCHEMES))('%s', (name) => {
  const provider = providerNamed(name) ?? raise(name);
  const { secretOf } = SCHEMES[name] ?? raise(name);
  const secret = secretOf('s3cret');

  const rows = TABLE.map(
    ([title, mutate, usual, others = {}]) => [title, mutate, others[name] ?? usual] as const,
  );
  test.each(rows)('%s', (_, mutate, expected) => {
    expect(outcome(provider, mutate(target(name)), [secret])).toBe(expected);
  });

  const keyless: Expected = name === 'discord' ? 'no_secret' : WRONG;
  test.each([
    ['no secret at all', [], 'no_secret'],
    ['the secret of another', [secretOf('other')], WRONG],
    ['an empty secret', [secretOf('')], keyless],
    ['the secret and a newline', [`${secret}\n`], keyless],
    ['another spelling of the secret', [secretOf('S3CRET')], WRONG],
    ['a second secret, after a rotation', [secretOf('new'), secret], OK],
    ['the first of two secrets', [secret, secretOf('old')], OK],
  ] as const)('%s', (_, values, expected) => {
    expect(outcome(provider, target(name).request, values)).toBe(expected);
  });

  test('a rotation tells which secret fitted', () => {
    const secrets = secretsOf(secretOf('new'), secret);
    const verdict = provider.verify(target(name).request, secrets, NOW.getTime());
    expect(verdict).toMatchObject({ ok: true, secretIndex: 1 });
  });
});

describe.each(TOKENS)('%s', (name) => {
  const provider = providerNamed(name) ?? raise(name);
  const judge = (authorization: string | undefined, secrets = ['s3cret-token']) =>
    outcome(provider, request(bytes(BODY), authorization === undefined ? {} : { authorization }), secrets);

  test.each([
    ['the token', 'Bearer s3cret-token', OK],
    ['the scheme in lower case', 'bearer s3cret-token', OK],
    ['no header', undefined, MISSING],
    ['an empty header', '', MISSING],
    ['no token behind the scheme', 'Bearer ', MISSING],
    ['without the scheme', 's3cret-token', MALFORMED],
    ['another scheme', 'Basic s3cret-token', MALFORMED],
    ['the beginning of the token', 'Bearer s3cret', WRONG],
    ['the token and more', 'Bearer s3cret-token1', WRONG],
    ['another case', 'Bearer S3CRET-TOKEN', WRONG],
    ['a space behind', 'Bearer s3cret-token ', WRONG],
    ['twice', 'Bearer s3cret-token, Bearer s3cret-token', WRONG],
  ] as const)('%s', (_, value, expected) => expect(judge(value)).toBe(expected));

  test('an empty secret fits nothing', () => {
    expect(judge('Bearer ', [''])).not.toBe(OK);
    expect(judge('Bearer s3cret-token', [])).toBe('no_secret');
  });
});

test('the tables have every provider with signature settings', () => {
  const coded = ['github', 'jira', 'slack', 'sentry', 'gitlab', 'generic'];
  // Senders that are settings of `generic` alone have a table of their own: test/providers/senders.test.ts.
  const presets = providers
    .map(({ name }) => name)
    .filter((name) => !coded.includes(name) && !Object.hasOwn(PRESETS, name));
  expect([...Object.keys(SCHEMES), ...TOKENS].toSorted()).toEqual(presets.toSorted());
});

function target(name: string): PresetTarget {
  const { header: place, prefix, secretOf } = SCHEMES[name] ?? raise(name);
  const provider = providerNamed(name) ?? raise(name);
  const incoming = signed(provider, bytes(BODY), { type: 'x', secret: secretOf('s3cret') });
  const value = incoming.headers[place] ?? '';
  const lead = name === 'stripe' ? value.slice(0, value.indexOf(',') + 1) : '';
  const digits = value.slice(lead.length + prefix.length);
  return { request: incoming, header: place, prefix, lead, value, digits };
}

function outcome(provider: Provider, incoming: RawRequest, secrets: readonly string[]): Expected {
  const verdict = provider.verify(incoming, secretsOf(...secrets), NOW.getTime());
  return verdict.ok ? OK : verdict.cause;
}

function sha1(): string {
  return hmac('s3cret', BODY, 'sha1').digest('hex');
}

/** Right bytes, hex for base64 and base64 for hex. */
function recoded(digits: string): string {
  const isHex = /^[0-9a-f]+$/.test(digits);
  return Buffer.from(digits, isHex ? 'hex' : 'base64').toString(isHex ? 'base64' : 'hex');
}

/** As many digits as are right, of other bytes. */
function foreign({ digits }: Target): string {
  const bytesOf = Buffer.from(OTHER_DIGITS.repeat(2), 'hex');
  const isHex = /^[0-9a-f]+$/.test(digits);
  return isHex ? bytesOf.toString('hex').slice(0, digits.length) : bytesOf.subarray(0, 32).toString('base64');
}

function swapFirst(digits: string): string {
  return (digits.startsWith('a') ? 'b' : 'a') + digits.slice(1);
}

function raise(name: string): never {
  throw new Error(`there is no ${name}`);
}
