import { getPath, isJsonObject } from '../../lib/json.ts';
import type { JsonObject, JsonValue, RawRequest, WebhookSecret } from '../../types.ts';
import type { SignatureSettings } from '../definition.ts';
import { DIGEST_BYTES } from '../kit/signature.ts';
import { type Candidate, digitsIn, ID_HEADERS } from './hint-candidates.ts';
import { verifyJwt } from './jwt.ts';
import { publicKeyOf } from './key-pairs.ts';
import { schemeOf } from './scheme.ts';
import { payloadOf } from './signed-content.ts';
import { verifyAny } from './verify.ts';

/** Settings by which a request verifies. */
export interface Guess {
  readonly settings: SignatureSettings;
  /** They prove no body: the secret itself is in the request, or other values are signed. */
  readonly isWeak: boolean;
}

/** What senders sign, beside what a hint looks for. */
const CONTENTS = [
  '{body}',
  '{timestamp}.{body}',
  '{timestamp}:{body}',
  '{timestamp}{body}',
  '{body}{timestamp}',
  'v0:{timestamp}:{body}',
  '{id}.{timestamp}.{body}',
  '{id}{timestamp}{body}',
  '{payload}',
  '{url}{body}',
  '{body}{url}',
  '{url}{form}',
  '{method}{url}{body}',
  '{method}{url}{body}{timestamp}',
];
/** Headers of the connection and of every client: none is a proof. */
const USUAL = new Set([
  'host',
  'user-agent',
  'accept',
  'accept-encoding',
  'content-type',
  'content-length',
  'connection',
  'date',
]);
const SECRET_ENCODINGS = ['utf8', 'base64', 'whsec', 'hex'] as const;
const KEY_PAIRS = ['ed25519', 'ecdsa', 'rsa'] as const;

/** Where a request says when it was signed, and when that was. */
interface SignedAt {
  readonly settings: SignatureSettings;
  readonly now: number;
}

/**
 * The settings by which a kept request verifies with one of these secrets, the simplest first; empty when none does. Takes as long as it
 * takes: it is for a person who waits, never for a request that comes in. `now`: when the request came.
 */
export async function guessSettings(
  request: RawRequest,
  secrets: readonly WebhookSecret[],
  now: number,
): Promise<readonly Guess[]> {
  const fits = (settings: SignatureSettings, at: number) =>
    verifyAny([schemeOf(settings)], request, secrets, at).ok;
  const times = [{ settings: {}, now }, ...timesIn(request)];
  const found = [
    ...signed(request, secrets, times).filter(([settings, at]) => fits(settings, at)),
    ...times
      .map((time): Trial => [{ scheme: 'message-signature' }, time.now])
      .filter(([settings, at]) => fits(settings, at)),
  ].map(([settings]) => ({ settings, isWeak: (settings.signedContent ?? '').includes('{payload:') }));
  const tokens = [
    ...(await jwtSettings(request, secrets, now)),
    ...tokenSettings(request).filter((each) => fits(each, now)),
  ];
  const weak = tokens.map((settings) => ({ settings, isWeak: settings.bodyClaim === undefined }));
  return [...found, ...weak].toSorted((left, right) => weight(left) - weight(right));
}

function weight({ settings, isWeak }: Guess): number {
  return Object.keys(settings).length + (isWeak ? 100 : 0);
}

type Trial = readonly [settings: SignatureSettings, now: number];

/** Each signature that may be one, over each content, with each meaning of the secret. */
function signed(
  request: RawRequest,
  secrets: readonly WebhookSecret[],
  times: readonly SignedAt[],
): readonly Trial[] {
  const kinds = KEY_PAIRS.filter((kind) =>
    secrets.some(({ value }) => publicKeyOf(value.reveal(), kind) !== null),
  );
  const contents = times.flatMap((time) =>
    contentsWith(request, time).map((settings) => ({ settings, now: time.now })),
  );
  const inHeaders = Object.entries(request.headers).flatMap(([header, value]) =>
    USUAL.has(header) ? [] : places(header, value, kinds.length > 0),
  );
  const over = inHeaders.flatMap((place) =>
    contents.map(({ settings, now }) => [{ ...place, ...settings }, now] as const),
  );
  const inside = fieldTrials(request, times);
  // A secret of 32 bytes may be a public key, or just bytes.
  return [...over, ...inside].flatMap(([settings, now]) => [
    ...SECRET_ENCODINGS.map((secretEncoding): Trial => [without(settings, { secretEncoding }), now]),
    ...hashed(settings, now),
    ...kinds.map((scheme): Trial => [asKeyPair(scheme, settings), now]),
  ]);
}

/** Settings that are not the defaults. */
function without(
  settings: SignatureSettings,
  { secretEncoding }: Pick<SignatureSettings, 'secretEncoding'>,
): SignatureSettings {
  return secretEncoding === 'utf8' ? settings : { ...settings, secretEncoding };
}

function asKeyPair(
  scheme: (typeof KEY_PAIRS)[number],
  { algorithm: _, ...settings }: SignatureSettings,
): SignatureSettings {
  const { encoding, ...others } = settings;
  const usual = scheme === 'ed25519' ? 'hex' : 'base64';
  return { scheme, ...others, ...((encoding ?? 'hex') !== usual && { encoding: encoding ?? 'hex' }) };
}

/** A plain hash of the secret and the content, on either side. */
function hashed(settings: SignatureSettings, now: number): readonly Trial[] {
  const { signedContent = '{body}' } = settings;
  return [`{secret}${signedContent}`, `${signedContent}{secret}`].map((content) => [
    { ...settings, scheme: 'hash', signedContent: content },
    now,
  ]);
}

/** How a header may hold a signature. */
function places(header: string, value: string, isKeyPair: boolean): readonly SignatureSettings[] {
  const lengths = Object.values(DIGEST_BYTES);
  const found = [...digitsIn(header, value, lengths), ...(isKeyPair ? longDigits(value) : [])];
  return found.flatMap(({ prefixes, encoding, algorithm }) =>
    prefixes.flatMap((prefix) =>
      [undefined, ...[',', ' ', ';'].filter((sign) => value.includes(sign))].map((separator) => ({
        header,
        ...(prefix !== '' && { prefix }),
        ...(encoding !== 'hex' && { encoding }),
        ...(algorithm !== 'sha256' && { algorithm }),
        ...(separator !== undefined && { separator }),
      })),
    ),
  );
}

type Digits = Pick<Candidate, 'prefixes' | 'encoding' | 'algorithm'>;

/** Signatures of key pairs have no fixed length. */
function longDigits(value: string): readonly Digits[] {
  const [, prefix = '', digits = ''] = /^((?:[A-Za-z][\w-]*[=,: ])?)([\w+/=-]{80,})$/.exec(value) ?? [];
  if (digits === '') return [];
  const encoding = /^[0-9a-f]+$/i.test(digits) ? 'hex' : /[-_]/.test(digits) ? 'base64url' : 'base64';
  return [{ prefixes: [prefix], encoding, algorithm: 'sha256' }];
}

function contentsWith(request: RawRequest, { settings }: SignedAt): readonly SignatureSettings[] {
  const id = ID_HEADERS.find((name) => request.headers[name]) ?? idLike(request);
  const isTimed = settings.timestamp !== undefined;
  return CONTENTS.filter((text) => text.includes('{timestamp}') === isTimed).flatMap((text) => {
    const needsId = text.includes('{id}');
    if (needsId && id === undefined) return [];
    const content = text === '{body}' ? {} : { signedContent: text };
    return [{ ...settings, ...content, ...(needsId && { deliveryId: `header:${id}` }) }];
  });
}

function idLike({ headers }: RawRequest): string | undefined {
  return Object.keys(headers).find((name) => /(?:^|-)(?:id|delivery)$/.test(name));
}

/** Whole seconds, milliseconds or ISO 8601, in a header of its own, or as a part of one. */
function timesIn({ headers }: RawRequest): readonly SignedAt[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const whole = momentOf(value);
    if (whole !== null)
      return [{ settings: { timestamp: `header:${name}`, ...whole.settings }, now: whole.now }];
    return [',', ';', ' '].flatMap((separator) =>
      value.split(separator).flatMap((part, index, parts) => {
        const [, key = '', text = ''] = /^\s*([a-z]{1,12})=(\d{10,13})\s*$/.exec(part) ?? [];
        const first = index === 0 && parts.length > 1 ? momentOf(part) : null;
        const moment = first ?? momentOf(text);
        const place = first === null ? key : '0';
        return moment === null
          ? []
          : [{ settings: { timestamp: `part:${place}`, separator, ...moment.settings }, now: moment.now }];
      }),
    );
  });
}

function momentOf(text: string): SignedAt | null {
  if (/^\d{10}$/.test(text)) return { settings: {}, now: Number(text) * 1000 };
  if (/^\d{13}$/.test(text)) return { settings: { timestampUnit: 'ms' }, now: Number(text) };
  const isIso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(text);
  return isIso && !Number.isNaN(Date.parse(text))
    ? { settings: { timestampUnit: 'iso' }, now: Date.parse(text) }
    : null;
}

/** A digest inside the body, over one or two of the values beside it (Mailgun). */
function fieldTrials(request: RawRequest, times: readonly SignedAt[]): readonly Trial[] {
  const payload = payloadOf(request, 'payload');
  const [plain] = times;
  if (plain === undefined) return [];
  return leaves(payload).flatMap(([path, text]) => {
    const parent = path.slice(0, -1);
    const beside = isJsonObject(getPath(payload, parent))
      ? leaves(getPath(payload, parent) as JsonObject, parent)
      : [];
    const names = beside.map(([each]) => each.join('.')).filter((name) => name !== path.join('.'));
    const contents = names.flatMap((one) => [
      `{payload:${one}}`,
      ...names.filter((other) => other !== one).map((other) => `{payload:${one}}{payload:${other}}`),
    ]);
    return digitsIn('', text, Object.values(DIGEST_BYTES)).flatMap(({ encoding, algorithm }) =>
      contents.map(
        (signedContent): Trial => [
          {
            signature: path.join('.'),
            signedContent,
            ...(encoding !== 'hex' && { encoding }),
            ...(algorithm !== 'sha256' && { algorithm }),
          },
          plain.now,
        ],
      ),
    );
  });
}

const MAX_LEAVES = 200;
type Leaf = readonly [path: readonly string[], text: string];

/** The texts and numbers of an object, by their paths. */
function leaves(value: JsonValue | undefined, path: readonly string[] = []): readonly Leaf[] {
  if (typeof value === 'string' || typeof value === 'number') return [[path, String(value)]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value)
    .slice(0, MAX_LEAVES)
    .flatMap(([key, inner]) => leaves(inner as JsonValue, [...path, key]));
}

/** The secret itself, wherever a request can hold it. */
function tokenSettings(request: RawRequest): readonly SignatureSettings[] {
  const inHeaders = Object.entries(request.headers).flatMap(([header, value]) => {
    const [prefix = ''] = /^[A-Za-z][\w-]*[=: ]+/.exec(value) ?? [];
    return [...new Set([prefix, ''])].map((each) => ({ scheme: 'token' as const, header, prefix: each }));
  });
  const inQuery = [...new URLSearchParams(request.query).keys()].map((name) => `query:${name}`);
  const inBody = leaves(payloadOf(request, 'payload')).map(([path]) => path.join('.'));
  const elsewhere = [...inQuery, ...inBody.slice(0, MAX_LEAVES)].map((signature) => ({
    scheme: 'token' as const,
    signature,
  }));
  return [...inHeaders, { scheme: 'basic' }, ...elsewhere];
}

/** A JSON Web Token under the secret, with the claim that holds the body's digest where there is one. */
async function jwtSettings(
  request: RawRequest,
  secrets: readonly WebhookSecret[],
  now: number,
): Promise<readonly SignatureSettings[]> {
  const inHeaders = Object.entries(request.headers).map(([header, value]) => ({ place: { header }, value }));
  const inQuery = [...new URLSearchParams(request.query)].map(([name, value]) => ({
    place: { signature: `query:${name}` },
    value,
  }));
  const found: SignatureSettings[] = [];
  for (const { place, value } of [...inHeaders, ...inQuery]) {
    const [, prefix = '', claims = ''] = /^((?:\w+ )?)eyJ[\w-]*\.([\w-]+)\.[\w-]*$/.exec(value) ?? [];
    if (claims === '') continue;
    const settings: SignatureSettings = { scheme: 'jwt', ...place, prefix };
    const payload = JSON.parse(Buffer.from(claims, 'base64url').toString()) as JsonObject;
    const issuedAt = typeof payload.iat === 'number' ? payload.iat * 1000 : now;
    const digests = Object.keys(payload).map((bodyClaim) => ({ ...settings, bodyClaim }));
    for (const each of [...digests, settings]) {
      if ((await verifyJwt(schemeOf(each), request, secrets, issuedAt)).ok) found.push(each);
    }
  }
  return found;
}
