/*
 * What people write in TypeScript, with the comments that their editor shows. `settings.ts` validates the same fields;
 * a test holds the two together.
 */

/** How a sender proves its requests. A place is `header:x-name`, `part:t`, or the dotted path of a payload value. */
export interface SignatureSettings {
  /** `token`: the header is the secret itself; `basic`: HTTP basic auth. Default `hmac`. */
  readonly scheme?: 'hmac' | 'ed25519' | 'token' | 'basic' | undefined;
  /** Header with the signature or token; of several, the first that is there. Default `x-hub-signature-256`. */
  readonly header?: string | readonly string[] | undefined;
  /** Hash of the HMAC. Default `sha256`. */
  readonly algorithm?: 'sha1' | 'sha256' | 'sha512' | undefined;
  /** How the signature is written. Default `hex`. */
  readonly encoding?: 'hex' | 'base64' | undefined;
  /** What stands before the digits or the token: `sha256=`, `v0=`. Default none. */
  readonly prefix?: string | undefined;
  /** Between several signatures in the header (`,`), any of which may fit. */
  readonly separator?: string | undefined;
  /** The signed bytes: `{body}` (default), `{timestamp}.{body}`, `{id}.{timestamp}.{body}`, `{payload}`, `{url}`, `{header:x-name}`. */
  readonly signedContent?: string | undefined;
  /** Place of the time of signing; `part:t` is an element of the signature header. Default: no time is checked. */
  readonly timestamp?: string | undefined;
  /** Seconds, milliseconds, or ISO 8601. Default `s`. */
  readonly timestampUnit?: 's' | 'ms' | 'iso' | undefined;
  /** Seconds that the time may be off, either way. Default 300. */
  readonly tolerance?: number | string | undefined;
  /** How the secret becomes the key; `whsec`: base64 behind an optional `whsec_`. Default `utf8`. */
  readonly secretEncoding?: 'utf8' | 'hex' | 'base64' | 'whsec' | undefined;
  /** ed25519: the sender's public key, in hex, base64 or `whpk_…`. A webhook's secrets count as such, too. */
  readonly publicKey?: string | undefined;
  /** basic: the user name. Default `hookctl`. */
  readonly user?: string | undefined;
  /** What `{url}` stands for: the URL as the sender knows it. */
  readonly publicUrl?: string | undefined;
  /** Field that holds the JSON when the body is a form. Default `payload`. */
  readonly formField?: string | undefined;
  /** Place of the sender's id of a delivery; in a header it is what `{id}` means. */
  readonly deliveryId?: string | undefined;
}
