import { expect, test } from 'vitest';
import { generic } from '../../src/providers/generic/index.ts';
import type { JsonObject } from '../../src/types.ts';

/** Mistakes in settings, and what is said of each: where, what, and what to write instead. */
const MISTAKES: readonly (readonly [string, JsonObject, string, string, string])[] = [
  ['an unknown setting', { heder: 'x-sig' }, 'heder', 'unknown setting', 'Did you mean header?'],
  [
    'a tolerance without a time',
    { tolerance: 60 },
    'tolerance',
    'has no effect without a timestamp: no time is checked',
    'Add timestamp: header:x-timestamp, or remove tolerance.',
  ],
  [
    'a time that is not signed',
    { timestamp: 'header:x-time' },
    'timestamp',
    'the signature does not cover this time, so that anybody could change it',
    'Add {timestamp} to signedContent, or remove timestamp.',
  ],
  [
    'signed bytes without the body',
    { signedContent: '{timestamp}', timestamp: 'header:x-time' },
    'signedContent',
    'the body is not signed, so anybody could change it',
    'Add {body}.',
  ],
  [
    'an unknown placeholder',
    { signedContent: '{nonce}.{body}' },
    'signedContent',
    'there is no {nonce}',
    'Known: {body}, {payload}, {timestamp}, {id}, {url}, {header:x-name}.',
  ],
  [
    'an open brace',
    { signedContent: '{body' },
    'signedContent',
    'a brace is open or empty',
    'Known: {body}, {payload}, {timestamp}, {id}, {url}, {header:x-name}.',
  ],
  [
    'a time that is named in what is signed, and nowhere else',
    { signedContent: '{timestamp}.{body}' },
    'signedContent',
    'the place of {timestamp} is missing',
    'Add timestamp: header:x-timestamp, or part:t',
  ],
  [
    'an id that stands in no header',
    { signedContent: '{id}.{body}', deliveryId: 'event.id' },
    'signedContent',
    '{id} is the delivery id, which must be in a header',
    'Add deliveryId: header:x-id',
  ],
  [
    'a part without a list',
    { signedContent: '{timestamp}.{body}', timestamp: 'part:t' },
    'timestamp',
    'the signature header has parts only with a separator',
    'Add separator: ","',
  ],
  [
    'a URL that is not said',
    { signedContent: '{url}{body}' },
    'signedContent',
    'it is not said what {url} is',
    'Add publicUrl: the URL that you gave to the sender',
  ],
  [
    'a public key of another length',
    { scheme: 'ed25519', publicKey: 'abcd' },
    'publicKey',
    'an ed25519 public key has 32 bytes, this has 2',
    'Paste it as the sender shows it: 64 hex digits, or base64.',
  ],
  [
    'a public key in no known writing',
    { scheme: 'ed25519', publicKey: 'not a key' },
    'publicKey',
    'an ed25519 public key has 32 bytes, this is neither hex nor base64',
    'Paste it as the sender shows it: 64 hex digits, or base64.',
  ],
  [
    'a setting that means nothing under the scheme',
    { scheme: 'token', algorithm: 'sha1' },
    'algorithm',
    'has no effect under scheme token',
    'Remove it, or choose scheme: hmac.',
  ],
  [
    'a header that every object has',
    { deliveryId: 'header:constructor' },
    'deliveryId',
    'header:constructor names no header',
    'Write header:x-name, or the dotted path of a payload value: comment.id',
  ],
  [
    'text that nobody wrote',
    { text: 'comment.body' },
    'text',
    'the writer is not named, so that no one may command',
    'Add sender: the path of the writer’s id, and list ids under allow.users.',
  ],
  [
    'a path with an empty part',
    { title: 'issue..title' },
    'title',
    'a path has an empty part: issue..title',
    'Write header:x-name, a dotted path (comment.body), or text around them: {project}#{issue.id}',
  ],
  [
    'a header without a name',
    { deliveryId: 'header:' },
    'deliveryId',
    'header: names no header',
    'Write header:x-name, or the dotted path of a payload value: comment.id',
  ],
];

test.each(MISTAKES)('%s is explained', (_, settings, path, message, fix) => {
  const configured = generic.configure?.(settings);
  const issues = configured?.ok === false ? configured.issues : [];
  expect(issues.map((issue) => [issue.path.join('.'), issue.message, fix && issue.fix])).toEqual([
    [path, message, fix],
  ]);
});

test('values of another kind are explained, and all mistakes at once', () => {
  const configured = generic.configure?.({
    scheme: 'rsa',
    algorithm: 'md5',
    tolerance: 0,
    header: 'x sig',
    signedContent: '{x}',
  });
  expect(
    configured?.ok === false && configured.issues.map(({ path, message }) => `${path}: ${message}`),
  ).toEqual([
    'scheme: expected one of "hmac"|"ed25519"|"token"|"basic"',
    'header: expected the name of a header, such as x-signature',
    'algorithm: expected one of "sha1"|"sha256"|"sha512"',
    'tolerance: expected 1 to 86400 seconds',
    'signedContent: there is no {x}',
  ]);
});
