import type { Headers, RawRequest } from '../../types.ts';
import type { SignatureSettings } from '../definition.ts';
import type { SecretEncoding } from '../kit/keys.ts';
import type { TimeUnit } from '../kit/signed-time.ts';
import { type Locator, parseLocator } from './locator.ts';
import type { KeySource } from './remote-keys.ts';
import { fieldText, parseSignedContent, type SignedPiece, unverifiedPayload } from './signed-content.ts';

/** A rotation needs two; each may cost a check of a key pair, before anybody knows who sent it. */
const MAX_SIGNATURES = 8;

/** Settings with their defaults, read. */
export interface Scheme {
  readonly kind: NonNullable<SignatureSettings['scheme']>;
  /** Lower case; the first that a request carries counts. */
  readonly headers: readonly string[];
  /** Where the signature or token is, if not in a header. */
  readonly signature: SignaturePlace | null;
  readonly algorithm: NonNullable<SignatureSettings['algorithm']>;
  readonly encoding: NonNullable<SignatureSettings['encoding']>;
  readonly prefix: string;
  readonly separator: string | null;
  readonly content: readonly SignedPiece[];
  /** The same as it was written. */
  readonly contentText: string;
  readonly timestamp: Locator | null;
  readonly unit: TimeUnit;
  readonly toleranceMs: number;
  readonly secretEncoding: SecretEncoding;
  readonly publicKey: string | null;
  readonly keys: KeySource | null;
  readonly claims: TokenClaims;
  /** Addresses of proxies, single or as `10.0.0.0/8`. */
  readonly proxies: readonly string[];
  readonly user: string;
  readonly url: string;
  readonly formField: string;
  readonly deliveryId: Locator | null;
}

/** A place of a signature: in the query string, too. */
type SignaturePlace = Locator | { readonly in: 'query'; readonly name: string };

/** What a JSON Web Token has to say; null where it does not matter. */
interface TokenClaims {
  readonly issuer: string | null;
  readonly audience: string | null;
  /** Names of the claims with the digest of the body, and of method, path and query. */
  readonly body: string | null;
  readonly query: string | null;
}

const DEFAULT_HEADERS = {
  hmac: 'x-hub-signature-256',
  hash: 'x-signature',
  ed25519: 'x-signature-ed25519',
  ecdsa: 'x-signature',
  rsa: 'x-signature',
  jwt: 'authorization',
  'message-signature': 'signature',
  token: 'authorization',
  basic: 'authorization',
  'client-cert': 'x-client-cert-fingerprint',
} as const satisfies Record<Scheme['kind'], string>;

/** Settings without issues → scheme. Throws when they have some: a built-in provider's own settings are tested, not asked. */
export function schemeOf(settings: SignatureSettings): Scheme {
  const kind = settings.scheme ?? 'hmac';
  const contentText = settings.signedContent ?? '{body}';
  const content = parseSignedContent(contentText);
  if (typeof content === 'string') throw new Error(content);
  return {
    kind,
    headers: [settings.header ?? DEFAULT_HEADERS[kind]].flat(),
    signature:
      settings.signature === undefined ? null : placeOrThrow(parseSignaturePlace(settings.signature)),
    algorithm: settings.algorithm ?? 'sha256',
    encoding: settings.encoding ?? (kind === 'ecdsa' || kind === 'rsa' ? 'base64' : 'hex'),
    prefix: settings.prefix ?? defaultPrefix(kind, settings),
    separator: settings.separator ?? null,
    content,
    contentText,
    timestamp: placeOf(settings.timestamp),
    unit: settings.timestampUnit ?? 's',
    toleranceMs: Number(settings.tolerance ?? 300) * 1000,
    secretEncoding: settings.secretEncoding ?? 'utf8',
    publicKey: settings.publicKey ?? null,
    keys: keySource(settings),
    claims: {
      issuer: settings.issuer ?? null,
      audience: settings.audience ?? null,
      body: settings.bodyClaim ?? null,
      query: settings.queryClaim ?? null,
    },
    proxies: listOf(settings.proxies),
    user: settings.user ?? 'hookctl',
    url: settings.publicUrl ?? '',
    formField: settings.formField ?? 'payload',
    deliveryId: placeOf(settings.deliveryId),
  };
}

/** Settings by name, each with the value that it is to have. */
export type Changes = Readonly<Partial<Record<ChangedSetting, string>>>;
type ChangedSetting =
  | 'header'
  | 'prefix'
  | 'encoding'
  | 'algorithm'
  | 'secretEncoding'
  | 'signedContent'
  | 'timestamp'
  | 'separator'
  | 'deliveryId'
  | 'timestampUnit';

/** A scheme with some of its settings changed. Throws as `schemeOf` does. */
export function changedScheme(scheme: Scheme, changes: Changes): Scheme {
  const { header, signedContent, timestamp, deliveryId, timestampUnit, ...same } = changes;
  const read = signedContent === undefined ? null : schemeOf({ signedContent });
  return {
    ...scheme,
    ...(same as Partial<Scheme>),
    ...(header !== undefined && { headers: [header] }),
    ...(read !== null && { content: read.content, contentText: read.contentText }),
    ...(timestamp !== undefined && { timestamp: placeOf(timestamp) }),
    ...(deliveryId !== undefined && { deliveryId: placeOf(deliveryId) }),
    ...(timestampUnit !== undefined && { unit: timestampUnit as Scheme['unit'] }),
  };
}

function defaultPrefix(kind: Scheme['kind'], { header, signature }: SignatureSettings): string {
  if (signature !== undefined) return '';
  if (kind === 'hmac') return header === undefined ? 'sha256=' : '';
  const inAuthorization = [header ?? DEFAULT_HEADERS[kind]].flat().includes('authorization');
  return (kind === 'token' || kind === 'jwt') && inAuthorization ? 'Bearer ' : '';
}

function placeOf(text: string | undefined): Locator | null {
  return text === undefined ? null : placeOrThrow(parseLocator(text));
}

function placeOrThrow<P extends object>(place: P | string): P {
  if (typeof place === 'string') throw new Error(place);
  return place;
}

/** `query:token`, or as `parseLocator` reads it. */
export function parseSignaturePlace(text: string): SignaturePlace | string {
  const [, name] = /^query:(.+)$/s.exec(text) ?? [];
  return name === undefined ? parseLocator(text) : { in: 'query', name };
}

/** Whether `keys` is the URL itself. */
export function isKeyUrl(keys: string): boolean {
  return /^https?:\/\//.test(keys);
}

function keySource({ keys, keyHosts, keyNames, keysBody }: SignatureSettings): KeySource | null {
  if (keys === undefined) return null;
  const at = isKeyUrl(keys) ? keys : placeOrThrow(parseLocator(keys));
  return { at, hosts: listOf(keyHosts), names: listOf(keyNames), body: keysBody ?? null };
}

function listOf(texts: string | readonly string[] = []): readonly string[] {
  return typeof texts === 'string' ? texts.split(',').map((each) => each.trim()) : texts;
}

/** The header that carries the signature; undefined when none does. */
export function signatureHeader({ headers: names }: Scheme, headers: Headers): string | undefined {
  return names.map((name) => headers[name]).find((value) => value !== undefined);
}

/** The signature or token as it came; undefined when there is none. */
export function signatureText(scheme: Scheme, request: RawRequest): string | undefined {
  const { signature: place, formField } = scheme;
  if (place === null) return signatureHeader(scheme, request.headers);
  switch (place.in) {
    case 'header':
      return request.headers[place.name];
    case 'query': {
      // Of two, one would be checked and the other believed.
      const found = new URLSearchParams(request.query).getAll(place.name);
      return found.length === 1 ? found[0] : undefined;
    }
    case 'payload':
      return fieldText(unverifiedPayload(request, formField), place.path) || undefined;
    case 'part':
      return undefined;
    default:
      return place satisfies never;
  }
}

/** Where the signature is looked for, for messages. */
export function signaturePlace({ signature, headers }: Scheme): string {
  if (signature === null) return headers.join(' or ');
  return signature.in === 'payload' ? signature.path.join('.') : `${signature.in}:${signature.name}`;
}

/**
 * The elements of a list in a header. Senders write `, ` where they document `,`, and the other way round: blanks around
 * a separator are no part of a value. Those at the ends of the header are.
 */
function elementsOf(header: string, separator: string): readonly string[] {
  const sign = separator.trim();
  if (sign === '') return header.split(separator);
  const elements = header.split(sign);
  const last = elements.length - 1;
  return elements.map((element, index) => {
    const start = index === 0 ? element : element.trimStart();
    return index === last ? start : start.trimEnd();
  });
}

/** The signatures in a header: the whole of it, or those elements of a list that have the prefix. */
export function candidatesIn({ separator, prefix }: Scheme, header: string): readonly string[] {
  if (separator === null) return [header];
  const known = elementsOf(header, separator).filter((part) => part !== '' && part.startsWith(prefix));
  return known.length === 0 ? [header] : known.slice(0, MAX_SIGNATURES);
}

/** The time of signing outside the payload; undefined when the request does not tell. */
export function timestampText(scheme: Scheme, { headers }: RawRequest): string | undefined {
  const { timestamp, separator } = scheme;
  if (timestamp?.in === 'header') return headers[timestamp.name];
  if (timestamp?.in !== 'part' || separator === null) return undefined;
  const mark = `${timestamp.name}=`;
  const elements = elementsOf(signatureHeader(scheme, headers) ?? '', separator);
  if (/^\d$/.test(timestamp.name)) return elements[Number(timestamp.name)];
  const found = elements.filter((part) => part.startsWith(mark));
  // Of two times, one would be signed and the other believed.
  return found.length === 1 ? found[0]?.slice(mark.length) : undefined;
}

/** Name of the header that `{id}` means. */
export function idHeader({ deliveryId }: Scheme): string | null {
  return deliveryId?.in === 'header' ? deliveryId.name : null;
}

/**
 * Standard Webhooks 1.0.0 (standardwebhooks.com), symmetric signatures: `webhook-signature` is a list, separated by
 * spaces, of `v1,<base64 HMAC-SHA256 of "{id}.{timestamp}.{body}">`, under `whsec_…`. Any one that fits is enough;
 * versions that are not known are skipped.
 */
export const STANDARD_WEBHOOKS = {
  header: 'webhook-signature',
  prefix: 'v1,',
  separator: ' ',
  encoding: 'base64',
  signedContent: '{id}.{timestamp}.{body}',
  timestamp: 'header:webhook-timestamp',
  deliveryId: 'header:webhook-id',
  secretEncoding: 'whsec',
} as const satisfies SignatureSettings;
