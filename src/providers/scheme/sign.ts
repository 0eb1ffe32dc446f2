import { createHash, createHmac, hash, randomBytes } from 'node:crypto';
import { failure } from '../../errors.ts';
import { isJsonObject, parseJson, withoutBom } from '../../lib/json.ts';
import type {
  Headers,
  JsonObject,
  JsonValue,
  OutgoingRequest,
  RawRequest,
  SignContext,
} from '../../types.ts';
import { isForm } from '../kit/form.ts';
import { PRIVATE_PREFIX, SIGNING_SECRET_PREFIX, secretKey } from '../kit/keys.ts';
import { signHmac } from '../kit/signature.ts';
import { timeText } from '../kit/signed-time.ts';
import { isKeyPair, newKeyPair, publicKeyOf, signWithKey } from './key-pairs.ts';
import { signMessage } from './message-signature.ts';
import { idHeader, type Scheme } from './scheme.ts';
import { signedBytes } from './signed-content.ts';
import { signsSecret, splitSecret } from './verify.ts';

type SignWishes = Omit<SignContext, 'type'>;

/**
 * The headers by which a sender with this secret would prove the request: signature, time, delivery id. Throws
 * `cannot_sign` when the secret is a public key.
 */
export function signBy(
  scheme: Scheme,
  request: Pick<RawRequest, 'headers' | 'body'>,
  wishes: SignWishes,
): Headers {
  return proved(scheme, request, wishes).headers;
}

/** The request with its proof, where the sender puts it, and the headers of the proof alone. */
function proved(
  scheme: Scheme,
  { headers, body }: Pick<RawRequest, 'headers' | 'body'>,
  { secret, deliveryId, now, url, kept }: SignWishes,
): OutgoingRequest {
  const id = idHeader(scheme);
  const timestamp = timeText(now, scheme.unit);
  const own: Headers = {
    ...(id !== null && { [id]: deliveryId }),
    ...(scheme.timestamp?.in === 'header' && { [scheme.timestamp.name]: timestamp }),
  };
  // Twilio's way of signing what is no form.
  const isPlain = scheme.content.some(({ kind }) => kind === 'form') && !isForm(headers);
  const before = kept?.query ?? '';
  const query = isPlain ? withParameter(before, 'bodySHA256', hash('sha256', body, 'hex')) : before;
  const at = { query, ...(kept?.method !== undefined && { method: kept.method }) };
  const timed = timeInProof(scheme, headers, body, timestamp);
  const request = {
    ...{ headers: { ...headers, ...own }, body: timed, ...at },
    ...(url !== undefined && { publicUrl: () => url }),
  };
  if (scheme.kind === 'message-signature') {
    const proof = signMessage(scheme, body, secret.reveal(), now);
    if (proof === null) throw senderAlone(scheme.kind);
    return { body, headers: { ...own, ...proof } };
  }
  const [header = ''] = scheme.headers;
  const proof = proofOf(scheme, request, { secret: secret.reveal(), timestamp, now });
  const { timestamp: place, separator, signature } = scheme;
  const isFirst = place?.in === 'part' && /^\d$/.test(place.name);
  const parts = place?.in === 'part' ? `${isFirst ? '' : `${place.name}=`}${timestamp}${separator}` : '';
  const sent: OutgoingRequest = { body, headers: own, ...(query !== '' && { query }) };
  switch (signature?.in) {
    case 'query':
      return { ...sent, query: withParameter(query, signature.name, proof) };
    case 'payload':
      return { ...sent, body: withProof(headers, timed, signature.path, proof) };
    case 'header':
      return { ...sent, headers: { ...own, [signature.name]: proof } };
    default:
      return { ...sent, headers: { ...own, [header]: parts + proof } };
  }
}

/** A query string with a parameter at its place, or as its last; all else stays as it is written. */
function withParameter(query: string, name: string, value: string): string {
  const isIt = (part: string) => new URLSearchParams(part).has(name);
  const own = new URLSearchParams({ [name]: value }).toString();
  const parts = query === '' ? [] : query.split('&');
  const at = parts.findIndex(isIt);
  if (at === -1) return [...parts, own].join('&');
  return parts.flatMap((part, index) => (index === at ? [own] : isIt(part) ? [] : [part])).join('&');
}

/** A body that holds its proof, with the time that is signed beside it: an old one would be refused. */
function timeInProof(
  { signature, timestamp }: Scheme,
  headers: Headers,
  body: Uint8Array,
  time: string,
): Uint8Array {
  if (signature?.in !== 'payload' || timestamp?.in !== 'payload') return body;
  return withProof(headers, body, timestamp.path, time);
}

/** A body with a text at a path, or in a field of a form. */
function withProof(headers: Headers, body: Uint8Array, path: readonly string[], text: string): Uint8Array {
  if (!isForm(headers)) return withValue(body, path, text);
  return Buffer.from(withParameter(Buffer.from(body).toString(), path.join('.'), text));
}

/** A body with a value at a path; what is no JSON stays as it is. */
function withValue(body: Uint8Array, path: readonly string[], text: string): Uint8Array {
  const payload = parseJson(withoutBom(body));
  return payload.ok ? Buffer.from(JSON.stringify(setAt(payload.value, path, text))) : body;
}

/** A request without the secret that its query string or its body holds: a digest tells one from another. */
export function withoutToken({ signature, kind }: Scheme, request: RawRequest): RawRequest {
  const isToken = kind === 'token' || kind === 'jwt';
  if (!isToken || signature === null) return request;
  if (signature.in === 'payload')
    return { ...request, body: withProof(request.headers, request.body, signature.path, '[redacted]') };
  if (signature.in !== 'query') return request;
  const token = new URLSearchParams(request.query).get(signature.name) ?? '';
  const digest = `sha256:${hash('sha256', token, 'hex').slice(0, 12)}`;
  return { ...request, query: withParameter(request.query, signature.name, digest) };
}

function setAt(value: JsonValue | undefined, [key, ...rest]: readonly string[], text: string): JsonValue {
  if (key === undefined) return text;
  if (Array.isArray(value)) {
    return (value as readonly JsonValue[]).map((each, index) =>
      String(index) === key ? setAt(each, rest, text) : each,
    );
  }
  const object: JsonObject = isJsonObject(value) ? value : {};
  const inner = Object.hasOwn(object, key) ? object[key] : undefined;
  return { ...object, [key]: setAt(inner, rest, text) };
}

/** How the requests that hookctl makes in a sender's name look beside their proof. */
export interface RequestForm {
  /** Default `application/json`. */
  readonly contentType?: string;
  /** Further headers: the name of the event. */
  readonly headers?: (context: SignContext, body: Uint8Array) => Headers;
}

/** A body as a sender would send it. Throws as `signBy` does. */
export function signRequest(
  scheme: Scheme,
  { contentType = 'application/json', headers }: RequestForm,
  body: Uint8Array,
  context: SignContext,
): OutgoingRequest {
  const plain = context.kept?.headers ?? { 'content-type': contentType, ...headers?.(context, body) };
  const sent = proved(scheme, { headers: plain, body }, context);
  return { ...sent, headers: { ...plain, ...sent.headers } };
}

interface ProofParts {
  readonly secret: string;
  readonly timestamp: string;
  readonly now: Date;
}

function proofOf(scheme: Scheme, request: RawRequest, { secret, timestamp, now }: ProofParts): string {
  const { kind, prefix, algorithm, encoding, secretEncoding } = scheme;
  switch (kind) {
    case 'token':
    case 'client-cert':
      return prefix + (scheme.signature === null ? latin1(secret) : secret);
    case 'basic':
      return `Basic ${Buffer.from(`${scheme.user}:${secret}`).toString('base64')}`;
    case 'jwt':
      return prefix + tokenOf(scheme, request, secret, now);
    case 'message-signature':
      return '';
    case 'hmac':
    case 'hash':
    case 'ed25519':
    case 'ecdsa':
    case 'rsa':
      break;
    default:
      return kind satisfies never;
  }
  const split =
    signsSecret(scheme) && kind !== 'hash' ? splitSecret(secret) : { signed: secret, key: secret };
  const values = { ...scheme, timestamp, idHeader: idHeader(scheme), secret: split.signed };
  const signed = signedBytes(scheme.content, request, values);
  const parts = signed.ok ? signed.parts : [];
  if (kind === 'hmac')
    return signHmac({ prefix, algorithm, encoding, signed: parts, secretEncoding }, secret);
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)));
  if (kind === 'hash') return prefix + createHash(algorithm).update(bytes).digest(encoding);
  const signature = signWithKey(scheme, split.key, bytes);
  if (signature === null) throw senderAlone(scheme.kind);
  return prefix + signature.toString(encoding);
}

function senderAlone(kind: Scheme['kind']): Error {
  const form = kind === 'ed25519' ? `${PRIVATE_PREFIX}…` : 'in PEM';
  return failure('cannot_sign', 'only the sender can sign: the webhook has its public key alone', {
    fix: `To try things out, give the webhook a private key (${form}), or post a file past the signature: hookctl replay body.json --webhook <name>`,
  });
}

/** A JSON Web Token under a shared secret. */
function tokenOf(
  { claims, keys, publicKey, secretEncoding }: Scheme,
  { body }: RawRequest,
  secret: string,
  now: Date,
): string {
  if (keys !== null || publicKey !== null || secret.includes('-----BEGIN ') || claims.query !== null) {
    throw senderAlone('jwt');
  }
  const iat = Math.floor(now.getTime() / 1000);
  const payload = {
    ...{ iat, exp: iat + 300 },
    ...(claims.issuer !== null && { iss: claims.issuer }),
    ...(claims.audience !== null && { aud: claims.audience }),
    ...(claims.body !== null && { [claims.body]: hash('sha256', body, 'hex') }),
  };
  const encoded = [{ alg: 'HS256', typ: 'JWT' }, payload].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  const signed = encoded.join('.');
  return `${signed}.${createHmac('sha256', secretKey(secret, secretEncoding)).update(signed).digest('base64url')}`;
}

/** Header text is latin1; the bytes are UTF-8. */
function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** A fresh secret in the form that the scheme reads. */
export function newSecretFor(scheme: Scheme): string {
  const { kind, secretEncoding } = scheme;
  const bytes = randomBytes(32);
  if (isKeyPair(kind))
    return `${signsSecret(scheme) ? `${bytes.toString('hex', 0, 8)} ` : ''}${newKeyPair(kind, bytes)}`;
  const isKey = kind === 'hmac' || kind === 'jwt' || kind === 'message-signature';
  if (isKey && secretEncoding === 'whsec') return SIGNING_SECRET_PREFIX + bytes.toString('base64');
  if (isKey && secretEncoding === 'base64') return bytes.toString('base64');
  return bytes.toString('hex');
}

const FORMS = { utf8: 'text', hex: 'hex digits', base64: 'base64', whsec: 'base64 behind whsec_' };

/** Why no scheme can use this secret; null when one can. Never repeats the secret. */
export function secretProblem(schemes: readonly Scheme[], secret: string): string | null {
  const fits = (text: string) => schemes.some((scheme) => isUsable(scheme, text));
  if (fits(secret)) return null;
  const forms = [...new Set(schemes.map(formOf))].join(' or ');
  const extra = /^(?:v\d+a?[,=]\s*|["'`\s]+)/.exec(secret)?.[0];
  const cleaned = secret.slice(extra?.length ?? 0).replace(/["'`\s]+$/, '');
  const advice = !fits(cleaned)
    ? ''
    : extra === undefined
      ? ': leave out what is behind it'
      : `: leave out \`${extra.trim()}\` in front of it`;
  return `the secret is not ${forms}${advice}`;
}

function isUsable(scheme: Scheme, secret: string): boolean {
  const { kind, secretEncoding, publicKey, keys } = scheme;
  if (isKeyPair(kind)) {
    return publicKey !== null || keys !== null || signsSecret(scheme) || publicKeyOf(secret, kind) !== null;
  }
  return !['hmac', 'jwt', 'message-signature'].includes(kind) || secretKey(secret, secretEncoding).length > 0;
}

const KEY_FORMS = {
  ed25519: 'an ed25519 key',
  ecdsa: 'a public key on a curve, as PEM or base64',
  rsa: 'a public RSA key, as PEM or base64',
};

function formOf({ kind, secretEncoding }: Scheme): string {
  return isKeyPair(kind) ? KEY_FORMS[kind] : FORMS[secretEncoding];
}
