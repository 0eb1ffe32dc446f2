import type { Headers, JsonObject, RawRequest } from './request.ts';

/** Methods by which a sender may ask before it sends. */
export type HandshakeMethod = 'GET' | 'HEAD' | 'OPTIONS' | 'POST';

/**
 * A question that a sender asks before it sends, and the answer that it wants. A place is `header:x-name`, `query:name`, or
 * the dotted path of a value in a JSON body.
 */
export interface HandshakeRule {
  /** As messages call it. Default `handshake`. */
  readonly name?: string | undefined;
  /** Default `GET`. */
  readonly method?: HandshakeMethod | undefined;
  /** What tells it from other requests, by place: the value that it has, `*` for any, null where there is none. */
  readonly when?: Readonly<Record<string, string | null>> | undefined;
  /** Place of the value that the answer repeats. Left out: the answer repeats nothing. */
  readonly challenge?: string | undefined;
  /** 200 to 299; default 200. */
  readonly status?: number | undefined;
  /** With `{challenge}` and `{hmac}` as in `answer`. */
  readonly headers?: Headers | undefined;
  /**
   * Body, as text or as JSON: `{challenge}`; `{hmac}` and `{hmac:base64}`, its HMAC-SHA256 under the webhook's secret. Default
   * `{challenge}` where there is one.
   */
  readonly answer?: string | JsonObject | undefined;
  /** True: the challenge is the secret by which the sender signs from then on. Only an awaited handshake is learned from. */
  readonly isSecret?: boolean | undefined;
}

/** The answer that a sender insists on for each delivery that was accepted, instead of 202 and its id. */
export interface OwnAnswer {
  /** 200 to 299. */
  readonly status: number;
  readonly headers: Headers;
  /** Handlebars over the event, each value escaped for the content type; without `{{` the text itself. */
  readonly body: string;
}

/** The same request with its content in JSON, or why it cannot be read. */
export type JsonView = RawRequest | { readonly ok: false; readonly reason: string };
