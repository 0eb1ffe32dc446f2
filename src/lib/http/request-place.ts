import { type JsonValue, OWN_HEADERS, type RequestHead } from '../../types.ts';

/** Where the head of a request holds a value: `header:x-event`, `query:env`, `request:method`, `request:client`. */
export type RequestPlace =
  | { readonly in: 'header'; readonly name: string }
  | { readonly in: 'query'; readonly name: string };

const OWN: Readonly<Record<string, string | undefined>> = OWN_HEADERS;

/** Reads such a place; null when the text names none, as a path of the payload does. */
export function requestPlace(text: string): RequestPlace | null {
  const [, kind, name = ''] = /^(header|query|request):(.+)$/s.exec(text) ?? [];
  switch (kind) {
    case 'header':
      return { in: 'header', name: name.toLowerCase() };
    case 'query':
      return { in: 'query', name };
    case 'request': {
      const own = Object.hasOwn(OWN, name) ? OWN[name] : undefined;
      return own === undefined ? null : { in: 'header', name: own };
    }
    default:
      return null;
  }
}

/** The value at a place: a text, or a list where a query parameter comes several times; undefined where there is none. */
export function valueInHead(place: RequestPlace, { headers, query }: RequestHead): JsonValue | undefined {
  if (place.in === 'query') {
    const values = query === '' ? [] : new URLSearchParams(query).getAll(place.name);
    return values.length > 1 ? values : values[0];
  }
  if (place.name === OWN_HEADERS.method) return headers[place.name] ?? 'POST';
  return Object.hasOwn(headers, place.name) ? headers[place.name] : undefined;
}
