import { expect, test } from 'vitest';
import { generic } from '../../src/providers/generic/index.ts';
import type { JsonObject } from '../../src/types.ts';

const KNOWN =
  'Known: {body}, {payload}, {timestamp}, {id}, {url}, {method}, {path}, {query}, {form}, {sha256}, {crc32}, {secret}, {header:x-name}, {payload:a.path}, {fields:A,B}.';

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
    KNOWN,
  ],
  ['an open brace', { signedContent: '{body' }, 'signedContent', 'a brace is open or empty', KNOWN],
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
    'a time of the payload that is not among the signed fields',
    { signature: 'signature', signedContent: '{payload:token}', timestamp: 'timestamp' },
    'timestamp',
    'the signature does not cover this time, so that anybody could change it',
    'Add {payload:…} with its path to signedContent, or remove timestamp.',
  ],
  [
    'a hash that anybody can make',
    { scheme: 'hash', signedContent: '{body}' },
    'signedContent',
    'anybody can compute a hash without {secret}',
    'Write {secret}{body}, or as the sender says.',
  ],
  [
    'an HMAC over its own key',
    { signedContent: '{secret}{body}' },
    'signedContent',
    '{secret} is the key of the HMAC, and in no sender’s content',
    'Remove it, or choose scheme: hash.',
  ],
  [
    'a place of a certificate at any host',
    { scheme: 'rsa', keys: 'header:x-cert-url', signedContent: '{secret}{body}' },
    'keys',
    'anybody could name a key at a host of his own',
    'Add keyHosts: the hosts of the sender’s keys.',
  ],
  [
    'certificates of a host that signs for others',
    { scheme: 'rsa', keys: 'header:x-cert-url', keyHosts: 'certs.example.com' },
    'signedContent',
    'these hosts sign for others, too, and nothing signed is yours',
    'Put {secret} where what is yours is signed: a webhook id, a topic.',
  ],
  [
    'tokens of an owner of keys who signs for others',
    { scheme: 'jwt', keys: 'https://example.com/jwks.json' },
    'keys',
    'the owner of these keys signs for others, too',
    'Add audience, issuer or bodyClaim: what makes a token yours.',
  ],
  [
    'keys over plain HTTP',
    { scheme: 'jwt', keys: 'http://example.com/jwks.json', audience: 'x' },
    'keys',
    'keys come over https, from a URL that holds at most {kid}',
    'Write https://…, with {kid} where the key’s id is.',
  ],
  [
    'a certificate that a header of anybody names',
    { scheme: 'client-cert' },
    'scheme',
    'anybody could send the header of a proxy',
    'Add proxies: the addresses from which it counts, such as 127.0.0.1.',
  ],
  [
    'an address that is none',
    { scheme: 'client-cert', proxies: '10.0.0.0/33' },
    'proxies',
    '10.0.0.0/33 is no IP address',
    'Write 127.0.0.1, or a range: 10.0.0.0/8.',
  ],
  [
    'hosts of keys without keys',
    { scheme: 'rsa', keyHosts: 'certs.example.com' },
    'keyHosts',
    'has no effect without keys',
    'Add keys: https://…/jwks.json, or the place of a URL.',
  ],
  [
    'a public key of another kind',
    { scheme: 'ecdsa', publicKey: 'abcd' },
    'publicKey',
    'this is no public key of ecdsa',
    'Paste it as the sender shows it: PEM (also in one line with \\n), a certificate that has not expired, a JWK, or base64.',
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
    'Remove it, or choose scheme: hmac, hash, ecdsa or rsa.',
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
    scheme: 'dsa',
    algorithm: 'md5',
    tolerance: 0,
    header: 'x sig',
    signedContent: '{x}',
  });
  expect(
    configured?.ok === false && configured.issues.map(({ path, message }) => `${path}: ${message}`),
  ).toEqual([
    'scheme: expected one of "hmac"|"hash"|"ed25519"|"ecdsa"|"rsa"|"jwt"|"message-signature"|"token"|"basic"|"client-cert"',
    'header: expected the name of a header, such as x-signature',
    'algorithm: expected one of "sha1"|"sha256"|"sha384"|"sha512"',
    'tolerance: expected 1 to 86400 seconds',
    'signedContent: there is no {x}',
  ]);
});
