import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { getPath, parseJson, withoutBom } from '../../lib/json.ts';
import type { JsonObject, RawRequest, Verdict } from '../../types.ts';
import { isForm, parseForm } from '../kit/form.ts';
import { refused } from '../kit/signature.ts';
import { isHeaderName } from './locator.ts';

/** A placeholder of `signedContent`. */
export type SignedPiece =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: (typeof NAMES)[number] }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'fields'; readonly names: readonly string[] };

const NAMES = [
  'body',
  'payload',
  'timestamp',
  'id',
  'url',
  'method',
  'path',
  'query',
  'form',
  'sha256',
  'crc32',
  'secret',
] as const;

/** What a template of signed bytes may name, for messages. */
export const PLACEHOLDERS = `${NAMES.map((name) => `{${name}}`).join(', ')}, {header:x-name}, {payload:a.path}, {fields:A,B}`;

/** Whether a piece is made of the content of the request, so that a signature over it proves some of that. */
export function isOfBody({ kind }: SignedPiece): boolean {
  return ['body', 'payload', 'form', 'sha256', 'crc32', 'field', 'fields'].includes(kind);
}

/** `v0:{timestamp}:{body}` → its pieces; a text says what is wrong with it. */
export function parseSignedContent(template: string): readonly SignedPiece[] | string {
  const pieces = template.split(/\{([^{}]*)\}/).map((text, index): SignedPiece | string => {
    if (index % 2 === 0) return /[{}]/.test(text) ? 'a brace is open or empty' : { kind: 'literal', text };
    return placeholder(text) ?? `there is no {${text}}`;
  });
  const mistake = pieces.find((piece) => typeof piece === 'string');
  if (mistake !== undefined) return mistake;
  const read = pieces.filter((piece) => typeof piece !== 'string');
  return read.filter((piece) => piece.kind !== 'literal' || piece.text !== '');
}

function placeholder(text: string): SignedPiece | null {
  const kind = NAMES.find((name) => name === text);
  if (kind !== undefined) return { kind };
  const [, what, named = ''] = /^(header|payload|fields):(.+)$/s.exec(text) ?? [];
  if (what === 'header') {
    const name = named.toLowerCase();
    return isHeaderName(name) ? { kind: 'header', name } : null;
  }
  const words = named.split(what === 'fields' ? ',' : '.');
  if (what === undefined || words.includes('')) return null;
  return what === 'fields' ? { kind: 'fields', names: words } : { kind: 'field', path: words };
}

/** Values of the placeholders that are not read from the request alone. */
interface SignedValues {
  readonly timestamp: string | undefined;
  /** Header that `{id}` means. */
  readonly idHeader: string | null;
  /** What `{url}` is, where it was set. */
  readonly url: string;
  readonly formField: string;
  /** What `{secret}` is; left out where no secret is signed. */
  readonly secret?: string;
}

type SignedBytes =
  | { readonly ok: true; readonly parts: readonly (string | Uint8Array)[] }
  | { readonly ok: false; readonly verdict: Verdict };

/**
 * The bytes that a sender signs. A value of a header or of the payload may not hold the text that follows it in the template:
 * with a dot in the id, `a.1` and `2.b` could be read as `a` and `1.2.b`.
 */
export function signedBytes(
  pieces: readonly SignedPiece[],
  request: RawRequest,
  values: SignedValues,
): SignedBytes {
  const parts: (string | Uint8Array)[] = [];
  for (const [index, piece] of pieces.entries()) {
    const part = partOf(piece, request, values);
    if (typeof part === 'object' && 'problem' in part) return malformed(part.problem);
    const next = pieces[index + 1];
    const name = nameOf(piece, values);
    if (name !== null && typeof part === 'string') {
      if (part === '' && piece.kind !== 'field') return missing(name);
      if (next?.kind === 'literal' && part.includes(next.text)) {
        return malformed(`${name} contains \`${next.text}\`, which ends it in what is signed`);
      }
    }
    parts.push(part);
  }
  return { ok: true, parts };
}

/** Of a value that a stranger wrote, where it came from. */
function nameOf(piece: SignedPiece, { idHeader }: SignedValues): string | null {
  if (piece.kind === 'id') return idHeader ?? 'id';
  if (piece.kind === 'field') return piece.path.join('.');
  return piece.kind === 'header' ? piece.name : null;
}

function missing(name: string): SignedBytes {
  const detail = `the request carries no ${name}, which is signed`;
  return { ok: false, verdict: refused('signature_missing', detail) };
}

function malformed(detail: string): SignedBytes {
  return { ok: false, verdict: refused('signature_malformed', detail) };
}

type Part = string | Uint8Array | { readonly problem: string };

function partOf(piece: SignedPiece, request: RawRequest, values: SignedValues): Part {
  switch (piece.kind) {
    case 'literal':
      return piece.text;
    case 'body':
      return request.body;
    case 'payload':
      return formPayload(request, values.formField) ?? request.body;
    case 'timestamp':
      return values.timestamp ?? '';
    case 'id':
      return values.idHeader === null ? '' : (request.headers[values.idHeader] ?? '');
    case 'url':
      return urlOf(request, values.url) ?? { problem: NO_URL };
    case 'method':
      return request.method ?? 'POST';
    case 'path':
      return request.path ?? pathOf(urlOf(request, values.url)) ?? { problem: NO_URL };
    case 'query':
      return request.query;
    case 'form':
      return sortedForm(request);
    case 'sha256':
      return hash('sha256', request.body, 'hex');
    case 'crc32':
      return String(crc32(request.body));
    case 'secret':
      return values.secret ?? '';
    case 'header':
      return request.headers[piece.name] ?? '';
    case 'field':
      return fieldText(unverifiedPayload(request, values.formField), piece.path);
    case 'fields':
      return fieldLines(piece.names, unverifiedPayload(request, values.formField));
    default:
      return piece satisfies never;
  }
}

/**
 * Name and value of the fields that are there. A value that holds the name of one that is not could be read in two ways: that field
 * may have been signed, and be a part of the value now.
 */
function fieldLines(names: readonly string[], payload: JsonObject): Part {
  const fields = names.map((name) => [name, fieldText(payload, [name])] as const);
  const absent = fields.filter(([, value]) => value === '').map(([name]) => name);
  const there = fields.filter(([, value]) => value !== '');
  const hiding = there.find(([, value]) => absent.some((name) => `\n${value}\n`.includes(`\n${name}\n`)));
  if (hiding !== undefined)
    return { problem: `${hiding[0]} holds the name of a signed field that is not there` };
  return there.map(([name, value]) => `${name}\n${value}\n`).join('');
}

const NO_URL =
  'the URL is signed, and hookctl does not know under which URL the sender reaches it: set publicUrl of the webhook’s options';

/** The URL as the sender knows it, with its query string; null when it is unknown. */
export function urlOf({ query, publicUrl }: RawRequest, named = ''): string | null {
  const url = named === '' ? publicUrl?.() : named;
  if (url === undefined) return null;
  return query === '' || url.includes('?') ? url : `${url}?${query}`;
}

function pathOf(url: string | null): string | null {
  return url === null ? null : (URL.parse(url)?.pathname ?? null);
}

/**
 * Names and values of a form, sorted by name, one behind the other. Where the body is no form, Twilio signs its digest as
 * `bodySHA256` of the URL.
 */
function sortedForm(request: RawRequest): Part {
  if (!isForm(request.headers)) {
    const digest = new URLSearchParams(request.query).get('bodySHA256')?.toLowerCase() ?? null;
    const isEmpty = digest === null && request.body.byteLength === 0;
    return isEmpty || digest === hash('sha256', request.body, 'hex')
      ? ''
      : { problem: 'the body is no form, and bodySHA256 of the URL is not its SHA-256' };
  }
  const fields = parseForm(request.body);
  if (fields === null) return { problem: 'the body is no form that can be read in one way' };
  return [...fields]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .flat()
    .join('');
}

/** The field of a form that holds JSON; null when the body is no form, or has no such field. */
export function formPayload({ headers, body }: RawRequest, field: string): Uint8Array | null {
  const text = isForm(headers) ? parseForm(body)?.get(field) : undefined;
  return text === undefined ? null : Buffer.from(text, 'utf8');
}

/** Anyone can send a body, and reading one takes time. */
const MAX_UNVERIFIED = 1024 * 1024;
const payloads = new WeakMap<RawRequest, JsonObject>();
const NO_FIELDS: JsonObject = {};

/** The fields of a body that is not verified yet: JSON, or those of a form. Empty when it cannot be read, or is over 1 MiB. */
export function unverifiedPayload(request: RawRequest, formField: string): JsonObject {
  const known = payloads.get(request);
  if (known !== undefined) return known;
  const payload = request.body.byteLength > MAX_UNVERIFIED ? NO_FIELDS : payloadOf(request, formField);
  payloads.set(request, payload);
  return payload;
}

/** The same of a body of any size, which is verified. */
export function payloadOf(request: RawRequest, formField: string): JsonObject {
  const read = parseJson(withoutBom(formPayload(request, formField) ?? request.body));
  if (read.ok) return read.value;
  const fields = isForm(request.headers) ? parseForm(request.body) : null;
  return fields === null ? NO_FIELDS : Object.fromEntries(fields);
}

/** The text, number or truth value at a path as text; empty when there is none. */
export function fieldText(payload: JsonObject, path: readonly string[]): string {
  const found = getPath(payload, path);
  return ['string', 'number', 'boolean'].includes(typeof found) ? String(found) : '';
}
