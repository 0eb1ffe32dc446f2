import { isIP } from 'node:net';
import type { z } from 'zod';
import { issuesOf } from '../../lib/diagnostics.ts';
import { suggestion } from '../../lib/suggest.ts';
import type { Issue, JsonObject } from '../../types.ts';
import { KEY_BYTES, keyBytes } from '../kit/keys.ts';
import { receiveIssues } from '../receive/settings.ts';
import { anyPublicKey, isKeyPair, publicKeyOf } from './key-pairs.ts';
import { parseLocator, parseSource } from './locator.ts';
import { isProtected } from './remote-keys.ts';
import { isKeyUrl, parseSignaturePlace } from './scheme.ts';
import { eventFields, type ValidSettings, type ValidSignature } from './settings.ts';
import { isOfBody, PLACEHOLDERS, parseSignedContent, type SignedPiece } from './signed-content.ts';

type Name = keyof ValidSettings & string;
type Scheme = NonNullable<ValidSignature['scheme']>;

/** Schemes with `signedContent`, and those with published keys. */
const SIGNED: readonly Scheme[] = ['hmac', 'hash', 'ed25519', 'ecdsa', 'rsa'];
const PUBLIC: readonly Scheme[] = ['ed25519', 'ecdsa', 'rsa', 'jwt', 'message-signature'];

/** Settings that mean something under some schemes only: elsewhere they would give a false sense of safety. */
const ONLY_UNDER: Readonly<Partial<Record<Name, readonly Scheme[]>>> = {
  algorithm: ['hmac', 'hash', 'ecdsa', 'rsa'],
  encoding: SIGNED,
  prefix: [...SIGNED, 'token', 'jwt', 'client-cert'],
  separator: [...SIGNED, 'client-cert'],
  signedContent: SIGNED,
  timestamp: SIGNED,
  timestampUnit: SIGNED,
  tolerance: [...SIGNED, 'jwt', 'message-signature'],
  signature: [...SIGNED, 'token', 'jwt'],
  secretEncoding: ['hmac', 'jwt', 'message-signature'],
  publicKey: PUBLIC,
  keys: PUBLIC.filter((scheme) => scheme !== 'ed25519'),
  keyHosts: PUBLIC,
  keyNames: PUBLIC.filter((scheme) => scheme !== 'ed25519'),
  keysBody: ['jwt'],
  issuer: ['jwt'],
  audience: ['jwt'],
  bodyClaim: ['jwt'],
  queryClaim: ['jwt'],
  proxies: ['client-cert'],
  user: ['basic'],
  publicUrl: [...SIGNED, 'jwt', 'message-signature'],
};

/**
 * What is wrong with settings of the right form: what contradicts itself, and what would prove less than it seems.
 * `schemes`: all that the settings serve, where a sender may sign in several ways.
 */
function settingIssues(
  settings: ValidSettings,
  schemes: readonly Scheme[] = [settings.scheme ?? 'hmac'],
): readonly Issue[] {
  return [
    ...misplaced(settings, schemes),
    ...placeIssues(settings),
    ...contentIssues(settings),
    ...timeIssues(settings),
    ...publicKeyIssues(settings, schemes),
    ...keySourceIssues(settings),
    ...schemeIssues(settings, schemes),
    ...writerIssues(settings),
    ...receiveIssues(settings),
  ];
}

function misplaced(settings: ValidSettings, used: readonly Scheme[]): readonly Issue[] {
  return Object.entries(ONLY_UNDER).flatMap(([name, schemes]) => {
    if (settings[name as Name] === undefined || schemes.some((scheme) => used.includes(scheme))) return [];
    const message = `has no effect under scheme ${used.join(', ')}`;
    return [
      { path: [name], message, fix: `Remove it, or choose scheme: ${eitherOf(schemes)}.`, atKey: true },
    ];
  });
}

function eitherOf(names: readonly string[]): string {
  return [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((each) => each !== '').join(' or ');
}

function placeIssues(settings: ValidSettings): readonly Issue[] {
  const places = (['timestamp', 'deliveryId'] as const).flatMap((name) => {
    const text = settings[name];
    const place = text === undefined ? null : parseLocator(text);
    if (typeof place === 'string') return [issue(name, place, HOW_TO_PLACE, text)];
    if (place?.in !== 'part') return [];
    if (name !== 'timestamp') return [issue(name, 'part: is for the timestamp alone', HOW_TO_PLACE, text)];
    return settings.separator === undefined
      ? [issue(name, 'the signature header has parts only with a separator', 'Add separator: ","', text)]
      : [];
  });
  const { signature } = settings;
  const found = signature === undefined ? null : parseSignaturePlace(signature);
  const misplaced =
    signature !== undefined && (typeof found === 'string' || found?.in === 'part')
      ? [
          issue(
            'signature',
            typeof found === 'string' ? found : 'part: is for the timestamp alone',
            HOW_TO_SIGN,
            signature,
          ),
        ]
      : [];
  const sources = Object.keys(eventFields).flatMap((name) => {
    const text = settings[name as keyof typeof eventFields];
    const source = typeof text === 'string' ? parseSource(text) : null;
    return typeof source === 'string' ? [issue(name, source, HOW_TO_SOURCE, String(text))] : [];
  });
  return [...places, ...misplaced, ...sources];
}

const HOW_TO_PLACE = 'Write header:x-name, or the dotted path of a payload value: comment.id';
const HOW_TO_SIGN = 'Write query:token, or the dotted path of a payload value: signature.signature';
const HOW_TO_SOURCE =
  'Write header:x-name, a dotted path (comment.body), or text around them: {project}#{issue.id}';

function contentIssues(settings: ValidSettings): readonly Issue[] {
  const template = settings.signedContent;
  if (template === undefined) return [];
  const pieces = parseSignedContent(template);
  const wrong = (message: string, fix: string) => issue('signedContent', message, fix, template);
  if (typeof pieces === 'string') return [wrong(pieces, `Known: ${PLACEHOLDERS}.`)];
  const has = (kind: SignedPiece['kind']) => pieces.some((piece) => piece.kind === kind);
  const id = settings.deliveryId === undefined ? null : parseLocator(settings.deliveryId);
  const idIsHeader = id !== null && typeof id !== 'string' && id.in === 'header';
  return [
    ...(pieces.some(isOfBody)
      ? []
      : [wrong('the body is not signed, so anybody could change it', 'Add {body}.')]),
    ...(has('timestamp') && settings.timestamp === undefined
      ? [wrong('the place of {timestamp} is missing', 'Add timestamp: header:x-timestamp, or part:t')]
      : []),
    ...(has('id') && !idIsHeader
      ? [wrong('{id} is the delivery id, which must be in a header', 'Add deliveryId: header:x-id')]
      : []),
  ];
}

function timeIssues(settings: ValidSettings): readonly Issue[] {
  const { timestamp, tolerance, timestampUnit, signedContent = '{body}' } = settings;
  if (timestamp === undefined) {
    const alone = { tolerance, timestampUnit };
    return Object.entries(alone)
      .filter(([, value]) => value !== undefined)
      .map(([name]) => ({
        path: [name],
        message: 'has no effect without a timestamp: no time is checked',
        fix: `Add timestamp: header:x-timestamp, or remove ${name}.`,
        atKey: true,
      }));
  }
  const place = parseLocator(timestamp);
  const pieces = parseSignedContent(signedContent);
  if (typeof place === 'string' || typeof pieces === 'string') return [];
  const isSigned = pieces.some(
    (piece) =>
      piece.kind === 'timestamp' ||
      (piece.kind === 'header' && place.in === 'header' && piece.name === place.name),
  );
  if (place.in !== 'payload' && !isSigned) {
    const message = 'the signature does not cover this time, so that anybody could change it';
    const fix = 'Add {timestamp} to signedContent, or remove timestamp.';
    return [issue('timestamp', message, fix, timestamp)];
  }
  if (place.in === 'payload' && !isCovered(pieces, place.path)) {
    const message = 'the signature does not cover this time, so that anybody could change it';
    return [
      issue(
        'timestamp',
        message,
        'Add {payload:…} with its path to signedContent, or remove timestamp.',
        timestamp,
      ),
    ];
  }
  if (place.in === 'payload' && isSigned) {
    const message =
      'a time inside the payload is signed with it: {timestamp} in signedContent means a header';
    return [
      issue('timestamp', message, 'Write timestamp: header:x-timestamp, or remove {timestamp}.', timestamp),
    ];
  }
  return [];
}

function isCovered(pieces: readonly SignedPiece[], path: readonly string[]): boolean {
  return pieces.some((piece) => {
    if (piece.kind === 'field') return piece.path.join('.') === path.join('.');
    return piece.kind === 'fields' ? piece.names.includes(path.join('.')) : isOfBody(piece);
  });
}

function publicKeyIssues({ publicKey }: ValidSettings, [scheme]: readonly Scheme[]): readonly Issue[] {
  if (publicKey === undefined || scheme === undefined) return [];
  if (scheme === 'ed25519') {
    if (publicKeyOf(publicKey, scheme) !== null) return [];
    const { length } = keyBytes(publicKey);
    const found = length === 0 ? 'this is neither hex nor base64' : `this has ${length}`;
    const message = `an ed25519 public key has ${KEY_BYTES} bytes, ${found}`;
    return [issue('publicKey', message, 'Paste it as the sender shows it: 64 hex digits, or base64.')];
  }
  const isKey = isKeyPair(scheme) ? publicKeyOf(publicKey, scheme) : anyPublicKey(publicKey);
  const message = isKeyPair(scheme) ? `this is no public key of ${scheme}` : 'this is no public key';
  const fix =
    'Paste it as the sender shows it: PEM (also in one line with \\n), a certificate that has not expired, a JWK, or base64.';
  return isKey === null ? [issue('publicKey', message, fix)] : [];
}

function keySourceIssues({
  keys,
  keyHosts,
  keyNames,
  keysBody,
  signedContent = '',
}: ValidSettings): readonly Issue[] {
  if (keys === undefined) {
    return Object.entries({ keyHosts, keyNames, keysBody })
      .filter(([, value]) => value !== undefined)
      .map(([name]) =>
        issue(name, 'has no effect without keys', 'Add keys: https://…/jwks.json, or the place of a URL.'),
      );
  }
  if (isKeyUrl(keys)) {
    const url = URL.parse(keys.replaceAll('{kid}', 'x'));
    const isFine = url !== null && isProtected(url) && !/[{}]/.test(keys.replaceAll('{kid}', ''));
    const fix = 'Write https://…, with {kid} where the key’s id is.';
    return isFine
      ? []
      : [issue('keys', 'keys come over https, from a URL that holds at most {kid}', fix, keys)];
  }
  const place = parseLocator(keys);
  if (typeof place === 'string' || place.in === 'part') {
    return [
      issue(
        'keys',
        typeof place === 'string' ? place : 'a part of the signature names no key',
        HOW_TO_PLACE,
        keys,
      ),
    ];
  }
  const named = keyHosts === undefined ? 'anybody could name a key at a host of his own' : null;
  const open = signedContent.includes('{secret}')
    ? null
    : 'these hosts sign for others, too, and nothing signed is yours';
  return [
    ...(named === null ? [] : [issue('keys', named, 'Add keyHosts: the hosts of the sender’s keys.', keys)]),
    ...(open === null
      ? []
      : [issue('signedContent', open, 'Put {secret} where what is yours is signed: a webhook id, a topic.')]),
  ];
}

/** What a scheme needs beside the secret. */
function schemeIssues(settings: ValidSettings, schemes: readonly Scheme[]): readonly Issue[] {
  const { signedContent = '', keys, issuer, audience, bodyClaim, queryClaim, proxies } = settings;
  const hasSecret = signedContent.includes('{secret}');
  const isShared = keys !== undefined && isKeyUrl(keys) && schemes.includes('jwt');
  const claims = [issuer, audience, bodyClaim, queryClaim];
  return [
    ...(schemes.includes('hash') && !hasSecret
      ? [
          issue(
            'signedContent',
            'anybody can compute a hash without {secret}',
            'Write {secret}{body}, or as the sender says.',
          ),
        ]
      : []),
    ...(hasSecret && schemes.includes('hmac')
      ? [
          issue(
            'signedContent',
            '{secret} is the key of the HMAC, and in no sender’s content',
            'Remove it, or choose scheme: hash.',
          ),
        ]
      : []),
    ...(isShared && claims.every((claim) => claim === undefined)
      ? [
          issue(
            'keys',
            'the owner of these keys signs for others, too',
            'Add audience, issuer or bodyClaim: what makes a token yours.',
          ),
        ]
      : []),
    ...(schemes.includes('client-cert') && proxies === undefined
      ? [
          issue(
            'scheme',
            'anybody could send the header of a proxy',
            'Add proxies: the addresses from which it counts, such as 127.0.0.1.',
          ),
        ]
      : []),
    ...badAddresses(proxies),
  ];
}

function badAddresses(proxies: ValidSettings['proxies']): readonly Issue[] {
  const isAddress = (text: string) => {
    const [base = '', bits, ...more] = text.split('/');
    const most = isIP(base) === 6 ? 128 : 32;
    const isLength = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
    return isIP(base) !== 0 && isLength && more.length === 0;
  };
  const wrong = (proxies ?? []).filter((each) => !isAddress(each));
  return wrong.map((each) =>
    issue('proxies', `${each} is no IP address`, 'Write 127.0.0.1, or a range: 10.0.0.0/8.'),
  );
}

/** Text that commands needs somebody who may command. */
function writerIssues({ text, sender }: ValidSettings): readonly Issue[] {
  if (text === undefined || sender !== undefined) return [];
  const message = 'the writer is not named, so that no one may command';
  return [
    issue('text', message, 'Add sender: the path of the writer’s id, and list ids under allow.users.', text),
  ];
}

function issue(name: string, message: string, fix: string, text?: string): Issue {
  return { path: [name], message, fix, ...(text !== undefined && { text }) };
}

type Read<T> =
  | { readonly ok: true; readonly settings: T; readonly other: JsonObject }
  | { readonly ok: false; readonly issues: readonly Issue[] };

interface Reading {
  readonly base?: object;
  /** Names that are no settings, and are left to the provider. */
  readonly others?: readonly string[];
  /** All schemes that the settings serve. */
  readonly schemes?: readonly Scheme[];
}

/** A issue of a name that is not known, with the known name that was probably meant; any other issue as it is. */
export function unknownSetting(issue: Issue, known: readonly string[]): Issue {
  return issue.message === 'unknown field'
    ? { ...issue, message: 'unknown setting', fix: suggestion(String(issue.path[0]), known) }
    : issue;
}

/**
 * Reads the `options` of a webhook as settings over those that a provider has already. All issues at once.
 */
export function readOptions<T extends z.ZodObject>(
  schema: T,
  options: JsonObject,
  { base = {}, others = [], schemes }: Reading,
): Read<z.output<T>> {
  const entries = Object.entries(options);
  const other = Object.fromEntries(entries.filter(([name]) => others.includes(name)));
  const own = Object.fromEntries(entries.filter(([name]) => !others.includes(name)));
  const result = schema.safeParse({ ...base, ...own });
  const known = [...Object.keys(schema.shape), ...others];
  if (!result.success) {
    const faulty = issuesOf(schema, result.error).map((issue) => unknownSetting(issue, known));
    // The rest is checked further, so that one run shows all mistakes.
    const names = faulty.map(({ path }) => path[0]);
    const right = Object.entries({ ...base, ...own }).filter(([name]) => !names.includes(name));
    const rest = schema.safeParse(Object.fromEntries(right));
    const further = rest.success ? settingIssues(rest.data, schemes) : [];
    return { ok: false, issues: [...faulty, ...further] };
  }
  const issues = settingIssues(result.data, schemes);
  return issues.length > 0 ? { ok: false, issues } : { ok: true, settings: result.data, other };
}
