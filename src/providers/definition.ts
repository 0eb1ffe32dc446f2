import type {
  Ack,
  EventAuthor,
  FormContext,
  FormField,
  HandshakeRule,
  Headers,
  JsonObject,
  OutgoingRequest,
  Parsed,
  ParseSettings,
  RawRequest,
  ReplyChannel,
  Sample,
  Sender,
  SignContext,
  TextFormat,
  Verdict,
  WebhookSecret,
} from '../types.ts';

/*
 * What a project's own provider is written with, with the comments that its editor shows. Types alone: no schema library
 * may appear in the declarations that the package ships.
 */

/** An event as a project's `parse` returns it: `type` is all that must be there. */
export interface EventDraft {
  /** `ticket.created`: what triggers name. */
  readonly type: string;
  /** What it is about; hookctl puts the provider's name before it. Left out: a flow of its own. */
  readonly externalId?: string | null | undefined;
  /** The person or program that acted. Left out or null when unknown, so that it may not command. */
  readonly sender?: Sender | null | undefined;
  /** What a person wrote, on the action that wrote it alone. */
  readonly text?: string | null | undefined;
  /** Who wrote the text. Left out: the sender did. Another than the sender, or null (not told): the text does not command. */
  readonly author?: EventAuthor | null | undefined;
  /**
   * `edited`: commands only if the webhook's `events` names this type. `moved`: written earlier, and only transferred or imported
   * now: never commands. Default `created`.
   */
  readonly textOrigin?: 'created' | 'edited' | 'moved' | undefined;
  /** The markup of `text`, which decides what counts as a quote or as code. Default `markdown`. */
  readonly textFormat?: TextFormat | undefined;
  /** Id of the text, the same over its edits and in each delivery that tells it. One command runs of it. */
  readonly textId?: string | null | undefined;
  /**
   * When the text was written, in epoch milliseconds. Without it, `approve` and `stop` count only where they name their task.
   */
  readonly writtenAt?: number | null | undefined;
  /**
   * Where no person is the sender (`kind: 'system'`): whether a stranger can have written words of the payload. Then its tasks
   * wait for approval. Default true; say false for facts: a check's result, a schedule, an alert of your own monitor.
   */
  readonly hasStrangersWords?: boolean | undefined;
  readonly title?: string | null | undefined;
  readonly url?: string | null | undefined;
  /** What templates and conditions see. Default: the payload of the request. */
  readonly payload?: JsonObject | undefined;
}

/** What `parse` is told beside the payload. */
export interface ParseContext {
  readonly headers: Headers;
  readonly request: RawRequest;
  /** Name, `commandPrefix` and `options` of the webhook that was addressed. */
  readonly settings: ParseSettings;
}

/** One event, several (envelopes), or why the payload says none. */
export type ParseResult = EventDraft | readonly EventDraft[] | { readonly unparsed: string };

interface ProviderFields {
  /** Lower-case letters, digits and -; none of hookctl's own providers. */
  readonly name: string;
  /** As people write it. Default: the name. */
  readonly label?: string | undefined;
  /** Largest body in bytes. Default 25 MiB. */
  readonly bodyLimit?: number | undefined;
  /** Associations that may command when the webhook's `allow` says nothing. Default: none. */
  readonly defaultAssociations?: readonly string[] | undefined;
  /** Headers that are secrets themselves, and are never stored. Those of a token or of basic auth in `signature` are known. */
  readonly secretHeaders?: readonly string[] | undefined;
  /** What a verified request says. */
  parse(payload: JsonObject, context: ParseContext): ParseResult;
  /**
   * How the bytes become the payload; null when they are unreadable. Default: JSON, or the JSON in a form's field; a list at the top is
   * `{ items: [...] }`.
   */
  decode?: ((request: RawRequest) => JsonObject | null) | undefined;
  /**
   * How bodies that are no JSON are read: `auto` by their beginning and content type, or always as that. `parse` gets the fields of a
   * form or multipart body, the elements of XML, `{ text }`, or `{}` for no body. Left out: they are unparsed.
   */
  readonly body?: 'auto' | 'json' | 'form' | 'xml' | 'text' | 'multipart' | undefined;
  /** Keys beside the delivery id by which a second delivery of the same act is known. */
  uniqueKeys?: ((payload: JsonObject, request: RawRequest) => readonly string[]) | undefined;
  /** An answer that the sender insists on; null for the usual 202. */
  acknowledge?: ((request: RawRequest, parsed: Parsed) => Ack | null) | undefined;
  /**
   * What the sender asks before it sends: names of handshakes that hookctl knows (`meta`, `asana`, …), or rules. Answered while you
   * await it (`hookctl webhook await <name>`), or when it is signed.
   */
  readonly handshake?: string | HandshakeRule | readonly (string | HandshakeRule)[] | undefined;
  /** Author of the payload value at a path; null when unknown. */
  authorOf?: ((payload: JsonObject, path: readonly string[]) => string | null) | undefined;
  /** How it is answered. Left out: it cannot be. */
  readonly reply?: ReplyChannel | undefined;
  /** Realistic bodies, for `hookctl trigger` and the contract suite. */
  readonly samples?: readonly Sample[] | undefined;
  /** What the sender's web form asks for, filled in. Default: URL and secret. */
  formFields?: ((context: FormContext) => readonly FormField[]) | undefined;
  /** Event type as far as the headers alone tell it, for the rows of refused requests. */
  eventName?: ((headers: Headers) => string | null) | undefined;
}

/** How a sender proves its requests; `scheme/settings.ts` validates these fields. A place is `header:x-name`, `part:t`, or the dotted path of a payload value. */
export interface SignatureSettings {
  /**
   * `hash`: of content with the `{secret}`; `token`: the header is the secret itself; `basic`: HTTP basic auth; `message-signature`:
   * RFC 9421; `client-cert`: a header of a proxy names the fingerprint. Default `hmac`.
   */
  readonly scheme?:
    | 'hmac'
    | 'hash'
    | 'ed25519'
    | 'ecdsa'
    | 'rsa'
    | 'jwt'
    | 'message-signature'
    | 'token'
    | 'basic'
    | 'client-cert'
    | undefined;
  /** Header with the signature or token; of several, the first that is there. Default `x-hub-signature-256`. */
  readonly header?: string | readonly string[] | undefined;
  /** Place of the signature or token where it is in no header: `query:token`, or a payload path. */
  readonly signature?: string | undefined;
  /** Hash that is signed. Default `sha256`. */
  readonly algorithm?: 'sha1' | 'sha256' | 'sha384' | 'sha512' | undefined;
  /** How the signature is written. Default `hex` (in any case), of `ecdsa` and `rsa` `base64`. */
  readonly encoding?: 'hex' | 'base64' | 'base64url' | undefined;
  /** Text before the digits or the token: `sha256=`, `v0=`. Default none. */
  readonly prefix?: string | undefined;
  /** Between several signatures in the header (`,`), any of which may fit. */
  readonly separator?: string | undefined;
  /**
   * The signed bytes, by default `{body}`. `{payload}` is the JSON in a form's field; `{timestamp}`, `{id}`, `{url}`, `{method}`,
   * `{path}`, `{query}`, `{header:x-name}`, `{payload:a.path}`; `{form}`: sorted form fields (Twilio); `{fields:A,B}`: name and value
   * of those that are there, a line each (SNS); `{sha256}` and `{crc32}` of the body; `{secret}`.
   */
  readonly signedContent?: string | undefined;
  /** Place of the time of signing; `part:t` is an element of the signature header. Default: no time is checked. */
  readonly timestamp?: string | undefined;
  /** Seconds, milliseconds, or ISO 8601. Default `s`. */
  readonly timestampUnit?: 's' | 'ms' | 'iso' | undefined;
  /** Seconds that the time may be off, either way. Default 300. */
  readonly tolerance?: number | string | undefined;
  /** How the secret becomes the key; `whsec`: base64 behind an optional `whsec_`. Default `utf8`. */
  readonly secretEncoding?: 'utf8' | 'hex' | 'base64' | 'whsec' | undefined;
  /**
   * The sender's public key: PEM, a certificate, a JWK or base64 of it; of ed25519 hex or `whpk_…`, too. A webhook's secrets count as
   * such, too.
   */
  readonly publicKey?: string | undefined;
  /**
   * Where the sender publishes its keys: a URL of a JWKS, a key or a certificate, in which `{kid}` is the id that a request names; or
   * the place at which a request names one (`header:x-cert-url`), then with `keyHosts`.
   */
  readonly keys?: string | undefined;
  /** Hosts from which a place may name a key, and a certificate its issuer: `sns.*.amazonaws.com`. */
  readonly keyHosts?: string | readonly string[] | undefined;
  /**
   * Names, one of which a fetched certificate has to be made out to; its issuers then have to lead to a root that Node trusts.
   * Default: a certificate counts that comes from where `keys` says.
   */
  readonly keyNames?: string | readonly string[] | undefined;
  /** JSON to post to the URL of the keys, with `{kid}` and `{secret}`. Default: GET. */
  readonly keysBody?: string | undefined;
  /** jwt: issuer and audience that it must name. */
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  /** jwt: claim with the SHA-256 of the body (hex or base64), without which it proves no body. */
  readonly bodyClaim?: string | undefined;
  /** jwt: claim with Atlassian's hash of method, path and query (`qsh`). */
  readonly queryClaim?: string | undefined;
  /** client-cert: addresses of the proxies whose header counts. */
  readonly proxies?: string | readonly string[] | undefined;
  /** basic: the user name. Default `hookctl`. */
  readonly user?: string | undefined;
  /** The value of `{url}`: the URL as the sender knows it. Default: the public URL of the webhook. */
  readonly publicUrl?: string | undefined;
  /** Field that holds the JSON when the body is a form. Default `payload`. */
  readonly formField?: string | undefined;
  /** Place of the sender's id of a delivery; in a header it is what `{id}` means. */
  readonly deliveryId?: string | undefined;
}

/** A signature that settings describe: those of `generic`. */
interface ProofBySettings {
  readonly signature: SignatureSettings;
  /** Further headers of requests that hookctl makes in its name: the name of the event. */
  headers?: ((context: SignContext) => Headers) | undefined;
  readonly verify?: never;
  readonly sign?: never;
  readonly deliveryId?: never;
}

/** A signature that only code can check. */
interface ProofByCode {
  /** Judges the raw bytes: constant time, all secrets, not async. `now` is epoch ms. */
  verify(request: RawRequest, secrets: readonly WebhookSecret[], now: number): Verdict;
  /** Signs a body as the sender would, for `hookctl trigger` and the contract suite. */
  sign?: ((body: Uint8Array, context: SignContext) => OutgoingRequest) | undefined;
  /** The sender's own id of a delivery. */
  deliveryId?: ((headers: Headers) => string | null) | undefined;
  readonly signature?: never;
  readonly headers?: never;
}

/** What `defineProvider` takes: either `signature`, or `verify` and `sign`. */
export type ProviderDefinition = ProviderFields & (ProofBySettings | ProofByCode);
