import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import type { RawRequest, Verdict } from '../types.ts';
import { type ContractCheck, NOW, type Subject, secretsOf } from './subject.ts';

/** Escapes, `1.0`, spaces and an `é`: a body that is serialised again has other bytes. */
const BODY = '{"b": 1.0, "a": "\\u00e9 \\/ é", "type": "x"}';
const DAY_MS = 24 * 60 * 60_000;

const BODY_CHANGES: Readonly<Record<string, (text: string) => string | Uint8Array>> = {
  'a newline behind': (text) => `${text}\n`,
  'serialised again': (text) => JSON.stringify(JSON.parse(text)),
  'keys in another order': (text) => text.replace('"b": 1.0, ', '').replace('}', ', "b": 1.0}'),
  'a byte order mark': (text) => `\ufeff${text}`,
  compressed: (text) => gzipSync(text),
  'as a form': (text) => `payload=${encodeURIComponent(`${text} `)}`,
  'U+FFFD for a byte': (text) => text.replace('é', '\ufffd'),
  'another value': (text) => text.replace('1.0', '2.0'),
  nothing: () => '',
};

const HEADER_CHANGES: Readonly<Record<string, (value: string) => string>> = {
  empty: () => '',
  'one digit off': (value) =>
    value.replace(/[A-Za-z0-9](?=[^A-Za-z0-9]*$)/, (digit) => (digit === 'a' ? 'b' : 'a')),
  'one digit less': (value) => value.slice(0, -1),
  'one digit more': (value) => `${value}0`,
  'a tab behind': (value) => `${value}\t`,
  'half of it': (value) => value.slice(0, value.length / 2),
  junk: () => '\u00ff'.repeat(8),
  'a word that objects inherit': () => 'constructor',
  'ten thousand commas': () => ','.repeat(10_000),
};

/** What proves a request, and what does not. */
export function proofChecks(subject: Subject): readonly ContractCheck[] {
  const { secret, otherSecret } = subject;
  return [
    check('no secret accepts nothing', () => refuses(subject, request(subject), [])),
    check('the secret of another is refused', () => refuses(subject, request(subject), [otherSecret])),
    check('an empty secret is refused', () => refuses(subject, request(subject), [''])),
    check('what anybody can sign with an empty secret is refused', () => checkEmptySecret(subject)),
    check('while a secret is rotated, the old one still counts, and it is told which fitted', () => {
      const verdict = judge(subject, request(subject), [otherSecret, secret]);
      assert.equal(verdict.ok && verdict.secretIndex, 1);
    }),
    check('without the headers that prove it, a request is refused', () => checkProofs(subject)),
    ...Object.entries(HEADER_CHANGES).map(([name, change]) =>
      check(`a signature header with ${name} is refused`, () => {
        for (const [header, value] of proofsOf(subject, request(subject))) {
          const original = request(subject);
          const changed = { ...original, headers: { ...original.headers, [header]: change(value) } };
          if (change(value) !== value) refuses(subject, changed, [secret], header);
        }
      }),
    ),
    ...Object.entries(BODY_CHANGES).map(([name, change]) =>
      check(`a body with ${name} is refused, where the body is signed`, () => {
        if (isToken(subject)) return;
        const changed = change(BODY);
        refuses(subject, { ...request(subject), body: Buffer.from(changed) }, [secret]);
      }),
    ),
    check('a time that counts, counts in both directions', () => checkTime(subject)),
    check('a secret that is sent in a header is named as one that is never stored', () =>
      checkStored(subject),
    ),
  ];
}

function check(name: string, run: () => void): ContractCheck {
  return { name, run };
}

/** A request whose body no sample has. One with the time in its body is made of the first sample's. */
function request(subject: Subject, secret?: string): RawRequest {
  const plain = subject.signed(Buffer.from(BODY), 'x', secret);
  const own = secret ?? subject.secret;
  if (judge(subject, plain, [own]).ok) return plain;
  const [sample] = subject.provider.samples;
  assert.ok(sample, 'a request that it signs is not accepted, and it has no samples');
  const text = JSON.stringify({ ...subject.build(sample), b: 1, a: '\u00e9 / é' }).replace(
    '"b":1',
    '"b": 1.0',
  );
  return subject.signed(Buffer.from(text), sample.type, secret);
}

function judge(
  { provider }: Subject,
  incoming: RawRequest,
  secrets: readonly string[],
  now = NOW.getTime(),
): Verdict {
  return provider.verify(incoming, secretsOf(...secrets), now);
}

function refuses(subject: Subject, incoming: RawRequest, secrets: readonly string[], what = 'it'): void {
  assert.equal(judge(subject, incoming, secrets).ok, false, `${what} is accepted`);
}

/** The headers without which a request is not accepted, and their values. */
function proofsOf(subject: Subject, incoming: RawRequest): readonly (readonly [string, string])[] {
  return Object.entries(incoming.headers).filter(([name]) => {
    const headers = Object.fromEntries(Object.entries(incoming.headers).filter(([other]) => other !== name));
    return !judge(subject, { ...incoming, headers }, [subject.secret]).ok;
  });
}

function checkProofs(subject: Subject): void {
  assert.ok(judge(subject, request(subject), [subject.secret]).ok, 'what it signs is not accepted');
  const whole = request(subject);
  // Some prove themselves in the query string, or inside the body.
  const isInQuery = whole.query !== '' && !judge(subject, { ...whole, query: '' }, [subject.secret]).ok;
  const isInBody = !judge(subject, { ...whole, body: Buffer.from('{}') }, [subject.secret]).ok;
  const isProved = proofsOf(subject, whole).length > 0 || isInQuery || isInBody;
  assert.ok(isProved, 'no header is needed: anybody could send that');
}

/** A sender that shows the secret itself proves nothing of the body. */
function isToken(subject: Subject): boolean {
  const whole = request(subject);
  return whole.query.includes(subject.secret) || carriers(whole, subject.secret).length > 0;
}

function carriers({ headers }: RawRequest, secret: string): readonly string[] {
  return Object.entries(headers)
    .filter(([, value]) =>
      [value, Buffer.from(value.replace(/^\S+ /, ''), 'base64').toString()].some((text) =>
        text.includes(secret),
      ),
    )
    .map(([name]) => name);
}

function checkEmptySecret(subject: Subject): void {
  let forged: RawRequest;
  try {
    forged = subject.signed(Buffer.from(BODY), 'x', '');
  } catch {
    // It can't even be signed: with a key pair there is no empty key.
    return;
  }
  refuses(subject, forged, ['']);
}

function checkTime(subject: Subject): void {
  const at = (offset: number) =>
    judge(subject, request(subject), [subject.secret], NOW.getTime() + offset).ok;
  assert.ok(at(0), 'a request of now is not accepted');
  if (at(DAY_MS) && at(-DAY_MS)) return;
  assert.ok(!at(DAY_MS), 'a request of yesterday is accepted');
  assert.ok(!at(-DAY_MS), 'a request of tomorrow is accepted: it could be sent again until then');
}

function checkStored(subject: Subject): void {
  const never = ['authorization', 'proxy-authorization', 'cookie', ...subject.provider.secretHeaders];
  const stored = carriers(request(subject), subject.secret).filter((name) => !never.includes(name));
  assert.deepEqual(stored, [], 'secretHeaders does not name them');
}
