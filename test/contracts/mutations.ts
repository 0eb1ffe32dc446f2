import { gzipSync } from 'node:zlib';
import type { Headers, RawRequest, VerdictCause } from '../../src/types.ts';
import { bytes } from '../providers/support.ts';

/** A signed request, and where its signature stands. */
export interface Target {
  readonly request: RawRequest;
  readonly header: string;
  readonly prefix: string;
  /** The header's right value, and its digits without what stands before them. */
  readonly value: string;
  readonly digits: string;
}
export type Mutation<T extends Target = Target> = (target: T) => RawRequest;

export const OK = 'accepted';
export const MISSING = 'signature_missing';
export const MALFORMED = 'signature_malformed';
export const WRONG = 'signature_wrong';
export type Expected = typeof OK | VerdictCause;

export function header<T extends Target>(change: (target: T) => string): Mutation<T> {
  return (target) => ({
    ...target.request,
    headers: { ...target.request.headers, [target.header]: change(target) },
  });
}

export function without(headers: Headers, name: string): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
}

function body(change: (text: string) => string | Uint8Array): Mutation {
  return ({ request }) => {
    const changed = change(Buffer.from(request.body).toString());
    return { ...request, body: typeof changed === 'string' ? bytes(changed) : changed };
  };
}

/** What no scheme takes: the right signature in another place, or over other bytes that say the same. */
export const ELSEWHERE: readonly (readonly [string, Mutation, Expected])[] = [
  [
    'in the query string',
    (t) => ({ ...t.request, headers: without(t.request.headers, t.header), query: `${t.header}=${t.value}` }),
    MISSING,
  ],
  [
    'under the header of another',
    (t) => ({ ...t.request, headers: { ...without(t.request.headers, t.header), 'x-signature': t.value } }),
    MISSING,
  ],
  ['body and a newline', body((text) => `${text}\n`), WRONG],
  ['body serialised again', body((text) => JSON.stringify(JSON.parse(text))), WRONG],
  [
    'body with keys in another order',
    body((text) => text.replace('"b": 1.0, ', '').replace('}', ', "b": 1.0}')),
    WRONG,
  ],
  ['body with a byte order mark', body((text) => `\ufeff${text}`), WRONG],
  ['body compressed', body((text) => gzipSync(text)), WRONG],
  ['body as a form', body((text) => `payload=${encodeURIComponent(text)}`), WRONG],
  ['body with U+FFFD for a byte', body((text) => text.replace('é', '\ufffd')), WRONG],
  ['no body', body(() => ''), WRONG],
];
