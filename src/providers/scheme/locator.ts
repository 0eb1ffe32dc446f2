import { getPath } from '../../lib/json.ts';
import type { Headers, JsonObject } from '../../types.ts';

/**
 * True for the lower-case name of a header (RFC 9110, token) that no object has by itself: headers are looked up in a
 * plain object.
 */
export function isHeaderName(name: string): boolean {
  return /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && !(name in {});
}

/*
 * Where a request holds a value. As people write it: `header:x-event`, `part:t` (an element of the signature
 * header, as in Stripe's `t=…,v1=…`), or the dotted path of a payload value: `comment.body`, `alerts.0.status`.
 */
export type Locator =
  | { readonly in: 'header'; readonly name: string }
  | { readonly in: 'part'; readonly name: string }
  | { readonly in: 'payload'; readonly path: readonly string[] };

/** One place, or text around several: `{repository}#{issue.number}`; of `post.id|page.id` the first that is there. */
export interface ValueSource {
  readonly literals: readonly string[];
  /** One fewer than there are literals, between which they are. */
  readonly places: readonly Locator[];
  /** Of each place, those that count where it has no value. */
  readonly others: readonly (readonly Locator[])[];
}

/** Reads a place; a text says what is wrong with it. */
export function parseLocator(text: string): Locator | string {
  const [, kind, name = ''] = /^(header|part):(.*)$/s.exec(text) ?? [];
  if (kind === 'header') {
    const lower = name.toLowerCase();
    return isHeaderName(lower) ? { in: 'header', name: lower } : `${text} names no header`;
  }
  if (kind === 'part') return name === '' ? 'part: names no part' : { in: 'part', name };
  const path = text.split('.');
  return path.includes('') ? `a path has an empty part: ${text || '(nothing)'}` : { in: 'payload', path };
}

/** Reads a place, or text with places in braces; a text says what is wrong with it. */
export function parseSource(text: string): ValueSource | string {
  const pieces = /[{}]/.test(text) ? text.split(/\{([^{}]*)\}/) : ['', text, ''];
  const literals = pieces.filter((_, index) => index % 2 === 0);
  if (literals.some((literal) => /[{}]/.test(literal))) return `a brace is open or empty: ${text}`;
  const names = pieces.filter((_, index) => index % 2 === 1).map((name) => name.split('|'));
  const mistake = names
    .flat()
    .map(parseLocator)
    .find((place) => typeof place === 'string');
  if (mistake !== undefined) return mistake;
  const read = names.map((each) => each.map(parseLocator).filter((place) => typeof place !== 'string'));
  return {
    literals,
    places: read.flatMap(([first]) => first ?? []),
    others: read.map(([, ...others]) => others),
  };
}

/** The text at a place: texts, numbers and truth values as text; null when there is none. */
export function valueAt(place: Locator, headers: Headers, payload: JsonObject): string | null {
  if (place.in === 'part') return null;
  const found = place.in === 'header' ? headers[place.name] : getPath(payload, place.path);
  if (typeof found === 'number' || typeof found === 'boolean') return String(found);
  return typeof found === 'string' && found !== '' ? found : null;
}

/** The text of a source; null when one of its places has none. */
export function textOf(source: ValueSource, headers: Headers, payload: JsonObject): string | null {
  const values = source.places.map((place, index) =>
    [place, ...(source.others[index] ?? [])].reduce<string | null>(
      (found, each) => found ?? valueAt(each, headers, payload),
      null,
    ),
  );
  if (values.includes(null)) return null;
  return source.literals.map((literal, index) => literal + (values[index] ?? '')).join('');
}
