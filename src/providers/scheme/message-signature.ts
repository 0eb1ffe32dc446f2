import { constants, createHmac, hash, type KeyObject, sign, verify } from 'node:crypto';
import type { Headers, RawRequest, Verdict, WebhookSecret } from '../../types.ts';
import { secretKey } from '../kit/keys.ts';
import { anyVerdict, decodeDigits, refused, sameBytes } from '../kit/signature.ts';
import { checkSignedTime } from '../kit/signed-time.ts';
import { anyPublicKey, privateKeyOf } from './key-pairs.ts';
import { isHeaderName } from './locator.ts';
import { remoteKeys } from './remote-keys.ts';
import type { Scheme } from './scheme.ts';
import { urlOf } from './signed-content.ts';

/*
 * HTTP Message Signatures (RFC 9421) and Digest Fields (RFC 9530): `Signature-Input` says which parts of the request are
 * signed, `Content-Digest` is one of them, and stands for the body.
 */

/** One member of `Signature-Input`. */
interface Input {
  readonly label: string;
  /** As it was written: that text is signed, too. */
  readonly text: string;
  readonly components: readonly {
    readonly name: string;
    readonly written: string;
    readonly param: string | null;
  }[];
  readonly params: ReadonlyMap<string, string>;
}

const MAX_SIGNATURES = 4;
/** An item's list of components, and what follows it. */
const MEMBER =
  /([a-z*][\w.*-]*)=(\((?: *"[^"\\]*"(?:;[a-z]+(?:="[^"\\]*")?)*)* *\)(?:;[a-z]+(?:=(?:"[^"\\]*"|-?\d+))?)*)(?:, *|$)/y;
const COMPONENT = /"([^"\\]*)"((?:;[a-z]+(?:="[^"\\]*")?)*)/g;
const PARAM = /;([a-z]+)=(?:"([^"\\]*)"|(-?\d+))/g;

/** Judges a request by any of its signatures that covers the body. */
export function verifyMessage(
  scheme: Scheme,
  request: RawRequest,
  secrets: readonly WebhookSecret[],
  now: number,
): Verdict {
  const { 'signature-input': written, signature } = request.headers;
  if (written === undefined || signature === undefined) {
    return refused(
      'signature_missing',
      'the request carries no signature: it has no Signature-Input and Signature',
    );
  }
  const inputs = parseInput(written);
  if (inputs === null) return refused('signature_malformed', 'Signature-Input is not as RFC 9421 writes it');
  return anyVerdict(
    inputs.slice(0, MAX_SIGNATURES).map((input) => judge(input, { scheme, request, secrets, now })),
  );
}

function parseInput(text: string): readonly Input[] | null {
  const inputs: Input[] = [];
  MEMBER.lastIndex = 0;
  while (MEMBER.lastIndex < text.length) {
    const [, label = '', value = ''] = MEMBER.exec(text) ?? [];
    if (label === '' || inputs.some((input) => input.label === label)) return null;
    const end = value.indexOf(')');
    const components = [...value.slice(0, end).matchAll(COMPONENT)].map(
      ([whole, name = '', params = '']) => ({
        name,
        written: whole,
        param: params === '' ? null : params,
      }),
    );
    const params = [...value.slice(end + 1).matchAll(PARAM)].map(
      ([, name = '', quoted, digits = '']) => [name, quoted ?? digits] as const,
    );
    inputs.push({ label, text: value, components, params: new Map(params) });
  }
  return inputs;
}

interface Case {
  readonly scheme: Scheme;
  readonly request: RawRequest;
  readonly secrets: readonly WebhookSecret[];
  readonly now: number;
}

function judge(input: Input, { scheme, request, secrets, now }: Case): Verdict {
  const covers = (name: string) => input.components.some((each) => each.name === name && each.param === null);
  const needsDigest = request.body.byteLength > 0 || request.headers['content-digest'] !== undefined;
  if (needsDigest && !covers('content-digest')) {
    return refused(
      'signature_malformed',
      'the signature does not cover content-digest, so that anybody could change the body',
    );
  }
  if (needsDigest && !fitsDigest(request))
    return refused('signature_wrong', 'content-digest is not that of the body');
  const given = signatureOf(input.label, request.headers.signature ?? '');
  if (given === null)
    return refused('signature_malformed', `Signature has no ${input.label} in base64 between colons`);
  const base = signatureBase(input, request);
  if (typeof base !== 'string') return refused('signature_malformed', base.problem);
  return checkTimes(
    input.params,
    checkBase(input, given, base, { scheme, request, secrets, now }),
    scheme,
    now,
  );
}

function checkTimes(params: Input['params'], verdict: Verdict, scheme: Scheme, now: number): Verdict {
  const expires = params.get('expires');
  if (verdict.ok && expires !== undefined && Number(expires) * 1000 < now) {
    return refused('timestamp_outside_window', 'the signature has expired, by this clock');
  }
  return checkSignedTime(verdict, params.get('created'), now, { unit: 's', toleranceMs: scheme.toleranceMs });
}

function checkBase(
  { params }: Input,
  given: Buffer,
  base: string,
  { scheme, request, secrets }: Case,
): Verdict {
  const alg = params.get('alg') ?? null;
  const seal = hash('sha256', base, 'base64url');
  const { keys, publicKey, formField } = scheme;
  if (keys !== null) {
    const found = remoteKeys(keys, request, { kid: params.get('keyid') ?? null, formField });
    if (!found.ok) return found.verdict;
    return found.keys.some((key) => fitsPublished(key, alg, base, given))
      ? { ok: true, secretIndex: secrets.length, seal }
      : WRONG;
  }
  if (secrets.length === 0 && publicKey === null)
    return refused('no_secret', 'the webhook has no secret to verify with');
  const texts = [...secrets.map(({ value }) => value.reveal()), ...(publicKey === null ? [] : [publicKey])];
  const index = texts.findIndex((text) => {
    // A public key in any form is known to others: as the key of an HMAC it would let them sign.
    const key = anyPublicKey(text);
    if (key !== null) return fitsPublished(key, alg, base, given);
    const bytes = secretKey(text, scheme.secretEncoding);
    const isShared = alg === null || alg === 'hmac-sha256';
    return (
      isShared && bytes.length > 0 && sameBytes(createHmac('sha256', bytes).update(base).digest(), given)
    );
  });
  return index < 0 ? WRONG : { ok: true, secretIndex: index, seal };
}

const WRONG = refused(
  'signature_wrong',
  'the signature does not fit the request under any key of the webhook',
);

/** By the type of the key; `alg`, where it is named, has to agree. */
function fitsPublished(key: KeyObject, alg: string | null, base: string, given: Buffer): boolean {
  const fits = (name: string) => alg === null || alg === name;
  const data = Buffer.from(base);
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return fits('ed25519') && verify(null, data, key, given);
    case 'ec': {
      const [name, algorithm] =
        key.asymmetricKeyDetails?.namedCurve === 'secp384r1'
          ? ['ecdsa-p384-sha384', 'sha384']
          : ['ecdsa-p256-sha256', 'sha256'];
      return fits(name ?? '') && verify(algorithm, data, { key, dsaEncoding: 'ieee-p1363' }, given);
    }
    case 'rsa':
      return (
        (fits('rsa-pss-sha512') && verify('sha512', data, { key, ...PSS }, given)) ||
        (fits('rsa-v1_5-sha256') && verify('sha256', data, key, given))
      );
    default:
      return false;
  }
}

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 } as const;

/** `sig1=:base64:` of the label; null when it is not there. */
function signatureOf(label: string, header: string): Buffer | null {
  const members = header.split(/, */).map((member) => /^([a-z*][\w.*-]*)=:([\w+/=]*):$/.exec(member.trim()));
  const found = members.filter((member) => member?.[1] === label);
  return found.length === 1 ? decodeDigits(found[0]?.[2] ?? '', 'base64') : null;
}

/** The strongest digest of a known kind counts; any that does not fit refuses. */
function fitsDigest({ headers, body }: RawRequest): boolean {
  const members = (headers['content-digest'] ?? '')
    .split(/, */)
    .map((each) => /^(sha-256|sha-512)=:([\w+/=]+):$/.exec(each));
  const known = members.filter((member) => member !== null);
  return (
    known.length > 0 &&
    known.every(([, name = '', digits]) => hash(name.replace('-', ''), body, 'base64') === digits)
  );
}

/** The text that is signed (RFC 9421, 2.5). */
function signatureBase(
  { components, text }: Input,
  request: RawRequest,
): string | { readonly problem: string } {
  const lines: string[] = [];
  const seen = new Set<string>();
  for (const { name, written, param } of components) {
    const value = componentOf(name, param, request);
    if (value === null || seen.has(written))
      return { problem: `it signs ${written}, which this request has not, or not once` };
    seen.add(written);
    lines.push(`${written}: ${value}`);
  }
  return [...lines, `"@signature-params": ${text}`].join('\n');
}

function componentOf(name: string, param: string | null, request: RawRequest): string | null {
  if (name === '@query-param') return queryParam(param, request);
  if (param !== null) return null;
  if (!name.startsWith('@')) return isHeaderName(name) ? (request.headers[name]?.trim() ?? null) : null;
  if (name === '@method') return request.method ?? 'POST';
  if (name === '@query') return `?${request.query}`;
  const text = urlOf(request);
  const url = text === null ? null : URL.parse(text);
  if (url === null) return null;
  switch (name) {
    case '@target-uri':
      return text;
    case '@authority':
      return url.host;
    case '@scheme':
      return url.protocol.slice(0, -1);
    case '@path':
      return url.pathname;
    case '@request-target':
      return url.pathname + url.search;
    default:
      return null;
  }
}

function queryParam(param: string | null, { query }: RawRequest): string | null {
  const name = /^;name="([^"]*)"$/.exec(param ?? '')?.[1];
  const parameters = [...new URLSearchParams(query)].filter(([each]) => percentEncoded(each) === name);
  return parameters.length === 1 ? percentEncoded(parameters[0]?.[1] ?? '') : null;
}

/** As RFC 9421, 2.2.8 writes names and values of parameters; `encodeURIComponent` leaves more characters as they are. */
function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The headers by which a sender with this key would prove the body; null when the text is a public key. */
export function signMessage(scheme: Scheme, body: Uint8Array, secret: string, now: Date): Headers | null {
  const digest = `sha-256=:${hash('sha256', body, 'base64')}:`;
  const params = `("content-digest");created=${Math.floor(now.getTime() / 1000)}`;
  const base = `"content-digest": ${digest}\n"@signature-params": ${params}`;
  const bytes = messageSignature(scheme, base, secret);
  return bytes === null
    ? null
    : {
        'content-digest': digest,
        'signature-input': `sig1=${params}`,
        signature: `sig1=:${bytes.toString('base64')}:`,
      };
}

function messageSignature({ secretEncoding }: Scheme, base: string, secret: string): Buffer | null {
  const key = privateKeyOf(secret);
  if (key === null) {
    if (anyPublicKey(secret) !== null) return null;
    return createHmac('sha256', secretKey(secret, secretEncoding)).update(base).digest();
  }
  const data = Buffer.from(base);
  if (key.asymmetricKeyType === 'rsa') return sign('sha512', data, { key, ...PSS });
  if (key.asymmetricKeyType === 'ed25519') return sign(null, data, key);
  return sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' });
}
