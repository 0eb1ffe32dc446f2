import type { RawRequest, Verdict } from '../../types.ts';
import { isForm, parseForm } from '../kit/form.ts';
import { refused } from '../kit/signature.ts';
import { isHeaderName } from './locator.ts';

/** A placeholder of `signedContent`. */
export type SignedPiece =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'body' | 'payload' | 'timestamp' | 'id' | 'url' }
  | { readonly kind: 'header'; readonly name: string };

const NAMES = ['body', 'payload', 'timestamp', 'id', 'url'] as const;

/** What a template of signed bytes may name, for messages. */
export const PLACEHOLDERS = '{body}, {payload}, {timestamp}, {id}, {url}, {header:x-name}';

/** `v0:{timestamp}:{body}` → its pieces; a text says what is wrong with it. */
export function parseSignedContent(template: string): readonly SignedPiece[] | string {
  const pieces = template.split(/\{([^{}]*)\}/).map((text, index): SignedPiece | string => {
    if (index % 2 === 0) return /[{}]/.test(text) ? 'a brace is open or empty' : { kind: 'literal', text };
    const kind = NAMES.find((name) => name === text);
    if (kind !== undefined) return { kind };
    const header = text.startsWith('header:') ? text.slice('header:'.length).toLowerCase() : '';
    return isHeaderName(header) ? { kind: 'header', name: header } : `there is no {${text}}`;
  });
  const mistake = pieces.find((piece) => typeof piece === 'string');
  if (mistake !== undefined) return mistake;
  const read = pieces.filter((piece) => typeof piece !== 'string');
  return read.filter((piece) => piece.kind !== 'literal' || piece.text !== '');
}

/** Values of the placeholders that are no headers of their own. */
interface SignedValues {
  readonly timestamp: string | undefined;
  /** Header that `{id}` means. */
  readonly idHeader: string | null;
  readonly url: string;
  readonly formField: string;
}

type SignedBytes =
  | { readonly ok: true; readonly parts: readonly (string | Uint8Array)[] }
  | { readonly ok: false; readonly verdict: Verdict };

/**
 * The bytes that a sender signs. A header that is signed may not hold the text that follows it in the template: with a
 * dot in the id, `a.1` and `2.b` could be read as `a` and `1.2.b`.
 */
export function signedBytes(
  pieces: readonly SignedPiece[],
  request: RawRequest,
  values: SignedValues,
): SignedBytes {
  const parts: (string | Uint8Array)[] = [];
  for (const [index, piece] of pieces.entries()) {
    const part = partOf(piece, request, values);
    const next = pieces[index + 1];
    const name =
      piece.kind === 'id' ? (values.idHeader ?? 'id') : piece.kind === 'header' ? piece.name : null;
    if (name !== null && typeof part === 'string') {
      if (part === '') return missing(name);
      if (next?.kind === 'literal' && part.includes(next.text)) {
        const detail = `${name} contains \`${next.text}\`, which ends it in what is signed`;
        return { ok: false, verdict: refused('signature_malformed', detail) };
      }
    }
    parts.push(part);
  }
  return { ok: true, parts };
}

function missing(name: string): SignedBytes {
  const detail = `the request carries no ${name}, which is signed`;
  return { ok: false, verdict: refused('signature_missing', detail) };
}

function partOf(piece: SignedPiece, request: RawRequest, values: SignedValues): string | Uint8Array {
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
      return values.url;
    case 'header':
      return request.headers[piece.name] ?? '';
    default:
      return piece satisfies never;
  }
}

/** The field of a form that holds JSON; null when the body is no form, or has no such field. */
export function formPayload({ headers, body }: RawRequest, field: string): Uint8Array | null {
  const text = isForm(headers) ? parseForm(body)?.get(field) : undefined;
  return text === undefined ? null : Buffer.from(text, 'utf8');
}
