import type { z } from 'zod';
import { issuesOf } from '../../lib/diagnostics.ts';
import { suggestion } from '../../lib/suggest.ts';
import type { Issue, JsonObject } from '../../types.ts';
import { KEY_BYTES, keyBytes } from '../kit/keys.ts';
import { receiveIssues } from '../receive/settings.ts';
import { parseLocator, parseSource } from './locator.ts';
import { eventFields, type ValidSettings, type ValidSignature } from './settings.ts';
import { PLACEHOLDERS, parseSignedContent, type SignedPiece } from './signed-content.ts';

type Name = keyof ValidSettings & string;
type Scheme = NonNullable<ValidSignature['scheme']>;

/** Settings that mean something under some schemes only: elsewhere they would give a false sense of safety. */
const ONLY_UNDER: Readonly<Partial<Record<Name, readonly Scheme[]>>> = {
  algorithm: ['hmac'],
  encoding: ['hmac', 'ed25519'],
  prefix: ['hmac', 'ed25519', 'token'],
  separator: ['hmac', 'ed25519'],
  signedContent: ['hmac', 'ed25519'],
  timestamp: ['hmac', 'ed25519'],
  timestampUnit: ['hmac', 'ed25519'],
  tolerance: ['hmac', 'ed25519'],
  secretEncoding: ['hmac'],
  publicKey: ['ed25519'],
  user: ['basic'],
  publicUrl: ['hmac', 'ed25519'],
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
    ...keyIssues(settings),
    ...writerIssues(settings),
    ...receiveIssues(settings),
  ];
}

function misplaced(settings: ValidSettings, used: readonly Scheme[]): readonly Issue[] {
  return Object.entries(ONLY_UNDER).flatMap(([name, schemes]) => {
    if (settings[name as Name] === undefined || schemes.some((scheme) => used.includes(scheme))) return [];
    const message = `has no effect under scheme ${used.join(', ')}`;
    return [
      { path: [name], message, fix: `Remove it, or choose scheme: ${schemes.join(' or ')}.`, atKey: true },
    ];
  });
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
  const sources = Object.keys(eventFields).flatMap((name) => {
    const text = settings[name as keyof typeof eventFields];
    const source = typeof text === 'string' ? parseSource(text) : null;
    return typeof source === 'string' ? [issue(name, source, HOW_TO_SOURCE, String(text))] : [];
  });
  return [...places, ...sources];
}

const HOW_TO_PLACE = 'Write header:x-name, or the dotted path of a payload value: comment.id';
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
    ...(has('body') || has('payload')
      ? []
      : [wrong('the body is not signed, so anybody could change it', 'Add {body}.')]),
    ...(has('timestamp') && settings.timestamp === undefined
      ? [wrong('the place of {timestamp} is missing', 'Add timestamp: header:x-timestamp, or part:t')]
      : []),
    ...(has('id') && !idIsHeader
      ? [wrong('{id} is the delivery id, which must be in a header', 'Add deliveryId: header:x-id')]
      : []),
    ...(has('url') && settings.publicUrl === undefined
      ? [wrong('it is not said what {url} is', 'Add publicUrl: the URL that you gave to the sender')]
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
  if (place.in === 'payload' && isSigned) {
    const message =
      'a time inside the payload is signed with it: {timestamp} in signedContent means a header';
    return [
      issue('timestamp', message, 'Write timestamp: header:x-timestamp, or remove {timestamp}.', timestamp),
    ];
  }
  return [];
}

function keyIssues({ publicKey }: ValidSettings): readonly Issue[] {
  if (publicKey === undefined) return [];
  const { length } = keyBytes(publicKey);
  if (length === KEY_BYTES) return [];
  const found = length === 0 ? 'this is neither hex nor base64' : `this has ${length}`;
  const message = `an ed25519 public key has ${KEY_BYTES} bytes, ${found}`;
  return [issue('publicKey', message, 'Paste it as the sender shows it: 64 hex digits, or base64.')];
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
