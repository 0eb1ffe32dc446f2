import { createHmac } from 'node:crypto';
import type { RawRequest, WebhookSecret } from '../../types.ts';
import { fitsEd25519, type SecretEncoding, secretKey, verifyingKey } from '../kit/keys.ts';
import { checkToken, sameBytes } from '../kit/signature.ts';
import { type Candidate, candidatesFor, contentsFor, type SignedAlternative } from './hint-candidates.ts';
import { type Changes, changedScheme, type Scheme, timestampText } from './scheme.ts';
import { verifyAny } from './verify.ts';

/**
 * Most bytes that are hashed for one hint: some 5 ms. Anyone can send a request that is refused, and must not be able to keep
 * the process busy; how often hints are looked for is the caller's to bound.
 */
const MAX_HASHED = 4 * 1024 * 1024;
const MAX_SECRETS = 2;
/** Above this nothing is looked for: reading a form, too, takes its time. */
const MAX_BODY = 512 * 1024;

/** A way in which the request would have been accepted. */
interface Fit {
  readonly candidate: Candidate;
  readonly content: SignedAlternative;
  readonly secretEncoding: SecretEncoding;
}

/**
 * What a refused request seems to be signed by instead; null when nothing is found. Settings are named only after the
 * request was verified by them. Whatever is found, all alternatives are computed, so that the time until the answer
 * tells the sender nothing. Names settings and, only where a signature fits, header names of the request: never a
 * signature, a secret, or anything that a stranger wrote.
 */
export function hintFor(
  scheme: Scheme,
  request: RawRequest,
  secrets: readonly WebhookSecret[],
  now: number,
): string | null {
  if (request.body.byteLength > MAX_BODY) return null;
  const used = secrets.slice(0, MAX_SECRETS);
  const trial: Trial = { scheme, request, secrets: used, now };
  switch (scheme.kind) {
    case 'hmac':
      return describeBest(trial, hmacFits(scheme, request, used)) ?? keyHint(scheme, used);
    case 'ed25519':
      return describeBest(trial, ed25519Fits(scheme, request, used));
    case 'token':
      return tokenHint(trial);
    case 'basic':
    case 'hash':
    case 'ecdsa':
    case 'rsa':
    case 'jwt':
    case 'message-signature':
    case 'client-cert':
      return null;
    default:
      return scheme.kind satisfies never;
  }
}

function hmacFits(scheme: Scheme, request: RawRequest, secrets: readonly WebhookSecret[]): readonly Fit[] {
  const candidates = candidatesFor(scheme, request, [20, 32, 64]);
  const algorithms = [...new Set(candidates.map(({ algorithm }) => algorithm))];
  const work = contentsFor(scheme, request).flatMap((content) =>
    keysOf(secrets).flatMap((key) => algorithms.map((algorithm) => ({ content, ...key, algorithm }))),
  );
  const affordable = work.slice(0, Math.floor(MAX_HASHED / (request.body.byteLength + 256)));
  return affordable.flatMap(({ content, key, secretEncoding, algorithm }) => {
    const hmac = createHmac(algorithm, key);
    for (const part of content.parts) hmac.update(part);
    const digest = hmac.digest();
    return candidates
      .filter(({ bytes }) => sameBytes(bytes, digest))
      .map((candidate) => ({ candidate, content, secretEncoding }));
  });
}

function ed25519Fits(scheme: Scheme, request: RawRequest, secrets: readonly WebhookSecret[]): readonly Fit[] {
  const texts = [
    ...secrets.map(({ value }) => value.reveal()),
    ...(scheme.publicKey === null ? [] : [scheme.publicKey]),
  ];
  const keys = texts.map(verifyingKey).filter((key) => key !== null);
  const candidates = candidatesFor(scheme, request, [64]);
  const affordable = contentsFor(scheme, request).slice(
    0,
    Math.floor(MAX_HASHED / (request.body.byteLength + 256)),
  );
  return affordable.flatMap((content) => {
    const signed = Buffer.concat(content.parts.map((part) => Buffer.from(part)));
    return candidates
      .filter(({ bytes }) => keys.filter((key) => fitsEd25519(key, signed, bytes)).length > 0)
      .map((candidate) => ({ candidate, content, secretEncoding: scheme.secretEncoding }));
  });
}

interface Key {
  readonly key: Uint8Array;
  readonly secretEncoding: SecretEncoding;
}

/** What the secrets may mean: an empty key proves nothing: anybody can compute an HMAC with it. */
function keysOf(secrets: readonly WebhookSecret[]): readonly Key[] {
  const encodings: readonly SecretEncoding[] = ['utf8', 'base64', 'whsec', 'hex'];
  return secrets.flatMap(({ value }) =>
    encodings
      .map((secretEncoding) => ({ secretEncoding, key: secretKey(value.reveal(), secretEncoding) }))
      .filter(({ key }) => key.length > 0),
  );
}

/** What settings are tried on. */
interface Trial {
  readonly scheme: Scheme;
  readonly request: RawRequest;
  readonly secrets: readonly WebhookSecret[];
  readonly now: number;
}

/** Each costs as much as verifying; a fit has seldom more than three ways to be expressed. */
const MAX_TRIALS = 24;

/** The fit that changes the fewest settings, of those by which the request verifies. */
function describeBest(trial: Trial, fits: readonly Fit[]): string | null {
  const variants = fits
    .flatMap((fit) => variantsOf(trial, fit))
    .filter((changes) => Object.keys(changes).length > 0)
    .toSorted((left, right) => Object.keys(left).length - Object.keys(right).length)
    .slice(0, MAX_TRIALS)
    .map((changes) => ({ changes, outcome: tried(trial, changes) }));
  const best =
    variants.find(({ outcome }) => outcome === 'fits') ?? variants.find(({ outcome }) => outcome === 'late');
  return best === undefined ? null : describe(trial, best.changes);
}

/**
 * `late`: the signature fits, and the request is too old or too new, which no setting changes. A unit of the time that
 * is not the sender's gives the same verdict, so it is looked for first.
 */
function tried({ scheme, request, secrets, now }: Trial, changes: Changes): 'fits' | 'late' | null {
  const verdict = verifyAny([changedScheme(scheme, changes)], request, secrets, now);
  if (verdict.ok) return 'fits';
  const isUnit = Object.keys(changes).every((name) => name === 'timestampUnit');
  return verdict.cause === 'timestamp_outside_window' && !isUnit ? 'late' : null;
}

/** All settings that may express a fit: a prefix, a separator and a unit of the time are not known from it alone. */
function variantsOf({ scheme, request }: Trial, fit: Fit): readonly Changes[] {
  const { candidate, content } = fit;
  const separators = [',', ' ', ';', ', '].filter((text) =>
    request.headers[candidate.header]?.includes(text),
  );
  const listed = content.settings.separator === undefined ? [undefined, ...separators] : [undefined];
  const units = content.settings.timestamp === undefined && scheme.timestamp === null ? [] : UNITS;
  return candidate.prefixes.flatMap((prefix) =>
    listed.flatMap((separator) =>
      [undefined, ...units.filter((unit) => unit !== scheme.unit)].map((timestampUnit) => ({
        ...changesFor(scheme, fit, prefix),
        ...(separator !== undefined && separator !== scheme.separator && { separator }),
        ...(timestampUnit !== undefined && { timestampUnit }),
      })),
    ),
  );
}

const UNITS = ['s', 'ms', 'iso'] as const;

function changesFor(scheme: Scheme, { candidate, content, secretEncoding }: Fit, prefix: string): Changes {
  const { header, algorithm, encoding } = candidate;
  const isHmac = scheme.kind === 'hmac';
  const isElsewhere = !scheme.headers.includes(header);
  return {
    ...(isElsewhere && { header }),
    // The default prefix depends on the header, so a new header takes its prefix along.
    ...((prefix !== scheme.prefix || (isElsewhere && prefix !== '')) && { prefix }),
    ...(encoding !== scheme.encoding && { encoding }),
    ...(isHmac && algorithm !== scheme.algorithm && { algorithm }),
    ...(isHmac && secretEncoding !== scheme.secretEncoding && { secretEncoding }),
    ...(content.text !== scheme.contentText && { signedContent: content.text }),
    ...content.settings,
  };
}

function describe({ scheme, request }: Trial, changes: Changes): string {
  const { signedContent, ...others } = changes;
  const names = Object.entries(others).map(([name, value]) => settingText(name, value));
  if (signedContent === undefined && names.length === 1 && others.timestampUnit !== undefined) {
    const text = timestampText(scheme, request) ?? '';
    const written = /^\d+$/.test(text) ? `has ${text.length} digits` : 'is written in ISO 8601';
    return `the time ${written}: set ${names[0]}`;
  }
  const over =
    signedContent === undefined
      ? 'the signature would fit'
      : `computed over \`${scheme.contentText}\`; the signature would fit \`${signedContent}\``;
  return names.length === 0 ? over : `${over} with ${names.join(', ')}`;
}

/** Blanks count in these two, so they are quoted. */
function settingText(name: string, value: string): string {
  return ['prefix', 'separator'].includes(name) ? `${name}: "${value}"` : `${name}: ${value}`;
}

function keyHint({ secretEncoding }: Scheme, secrets: readonly WebhookSecret[]): string | null {
  const wrong = secrets.some(({ value }) => secretKey(value.reveal(), secretEncoding).length === 0);
  return wrong ? `the secret is not written in ${secretEncoding}, as secretEncoding says` : null;
}

/** The token is in another header, or behind another prefix. */
function tokenHint(trial: Trial): string | null {
  const { scheme, request, secrets } = trial;
  const found = Object.entries(request.headers).flatMap(([header, value]): readonly Changes[] => {
    const where = scheme.headers.includes(header) ? {} : { header };
    const [, prefix = '', token = ''] = /^([A-Za-z][\w-]{0,30}(?:[=: ]+))?(.*)$/s.exec(value) ?? [];
    if (checkToken(value, secrets).ok) return [{ ...where, prefix: '' }];
    return checkToken(token, secrets).ok ? [{ ...where, prefix }] : [];
  });
  const fitting = found.find((changes) => tried(trial, changes) === 'fits');
  if (fitting === undefined) return null;
  const names = Object.entries(fitting).map(([name, value]) => settingText(name, value));
  return `the token would fit with ${names.join(', ')}`;
}
