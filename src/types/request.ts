export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** Header names in lower case; a header that came twice is joined with `, ` as node:http does. */
export type Headers = Readonly<Record<string, string>>;

/** A request as it came: nothing decoded, nothing re-serialised. These are the bytes that were signed. */
export interface RawRequest {
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** Query string without `?`, exactly as sent; empty when there was none. */
  readonly query: string;
  /** Upper case. Left out, as the three below: unknown, for a request that hookctl made or kept. */
  readonly method?: string;
  /** Path as sent, without the query string. */
  readonly path?: string;
  /** IP address of the connection's other end: the last proxy's or the tunnel's, if there is one. */
  readonly address?: string;
  /** Address of the sender: the connection's, or what the trusted proxy says; null when neither tells. A look-up, as the next one. */
  readonly client?: () => string | null;
  /** The URL under which senders outside reach this path, without the query string. Takes a look-up, so it is called only where needed. */
  readonly publicUrl?: () => string;
}

/** A request without its body. Two facts are among its headers where they matter, under names that no sender can use: see `OWN_HEADERS`. */
export type RequestHead = Pick<RawRequest, 'headers' | 'query'>;

/** `method`: where it is not POST. `client`: address of the sender, where a condition of the webhook asks for it. */
export const OWN_HEADERS = { method: ':method', client: ':client' } as const;

/** What a request proves. An expected failure, so it is a value. `cause` is stable and listed by `delivery list`. */
export type Verdict =
  | {
      readonly ok: true;
      /** Position of the secret that fitted. */
      readonly secretIndex: number;
      /**
       * The signature that fitted, as canonical text: the same bytes under the same secret have the same one, whatever else the
       * headers say. Null where the proof does not cover the bytes (a token). Left out: hookctl takes a digest of secret and body.
       */
      readonly seal?: string | null;
    }
  | { readonly ok: false; readonly cause: VerdictCause; readonly detail: string };

export type VerdictCause =
  | 'no_secret'
  | 'signature_missing'
  | 'signature_malformed'
  | 'signature_wrong'
  | 'timestamp_invalid'
  | 'timestamp_outside_window'
  /** The key that it needs is being fetched: answered 503, so that the sender tries again. */
  | 'key_pending'
  /** A relay changed the bytes: the signature proves nothing, neither way. */
  | 'unverifiable';

/** A value that must never be printed. Implemented by `config/secrets.ts`. */
export interface Secret {
  reveal(): string;
  toString(): string;
}

export interface WebhookSecret {
  readonly value: Secret;
  /** Epoch milliseconds after which it no longer verifies. Null when it does not expire. */
  readonly expiresAt: number | null;
}
