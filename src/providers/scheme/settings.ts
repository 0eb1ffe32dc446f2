import { z } from 'zod';
import { receiveFields } from '../receive/settings.ts';
import { isHeaderName } from './locator.ts';

/*
 * The settings of `generic`: how a sender signs, and where its requests hold what. Flat, and mostly text, so that
 * one `--option name=value` gives each. `describe` is what `webhook add generic --help` and editors show.
 */

const headerName = z
  .string()
  .transform((name) => name.toLowerCase())
  .refine(isHeaderName, 'expected the name of a header, such as x-signature');

const text = z.string().min(1, 'expected some text');
const wholeSeconds = z
  .union(
    [
      z.int(),
      z
        .string()
        .regex(/^\d{1,6}$/)
        .transform(Number),
    ],
    { error: 'expected a number of seconds' },
  )
  .refine((value) => value >= 1 && value <= 86_400, 'expected 1 to 86400 seconds');

const place = text;
const source = text;
/** In `options` several are a list or, on the command line, one text with commas. */
const texts = z.union([
  z.array(text).min(1).readonly(),
  text.transform((value) => value.split(',').map((each) => each.trim())),
]);

/** How a sender may prove its requests, each with what it means. */
const SCHEMES = {
  hmac: 'HMAC of the signed content (default)',
  hash: 'plain hash of content with the {secret}',
  ed25519: 'signature of a key pair',
  ecdsa: 'signature of a key pair on a curve (P-256)',
  rsa: 'RSA signature, PKCS #1 v1.5',
  jwt: 'JSON Web Token',
  'message-signature': 'HTTP Message Signatures, RFC 9421',
  token: 'the secret itself',
  basic: 'HTTP basic auth',
  'client-cert': 'a client certificate, whose fingerprint a proxy names in a header',
} as const;

/** How requests are proved. */
const signatureFields = {
  scheme: z
    .enum(Object.keys(SCHEMES) as [keyof typeof SCHEMES])
    .describe(
      `${Object.entries(SCHEMES)
        .map(([name, what]) => `${name}: ${what}`)
        .join('; ')}.`,
    )
    .optional(),
  header: z
    .union([headerName, z.array(headerName).min(1).readonly()], {
      error: 'expected the name of a header, such as x-signature',
    })
    .describe(
      'Header with the signature or token; of several, the first that is there. Default x-hub-signature-256.',
    )
    .optional(),
  signature: place
    .describe('Place of the signature or token where it is in no header: query:token, or a payload path.')
    .optional(),
  algorithm: z
    .enum(['sha1', 'sha256', 'sha384', 'sha512'])
    .describe('Hash that is signed; default sha256.')
    .optional(),
  encoding: z
    .enum(['hex', 'base64', 'base64url'])
    .describe('How the signature is written; default hex (in any case), of key pairs base64.')
    .optional(),
  prefix: z.string().describe('Text before the digits or the token: sha256=, v0=.').optional(),
  separator: text
    .max(3, 'expected at most 3 characters')
    .describe('Between several signatures in the header, any of which may fit: a comma, a space.')
    .optional(),
  signedContent: text
    .describe(
      'The bytes that are signed: {body} (default), {timestamp}.{body}, {url}{form}, {payload:id}:{payload:amount}, …',
    )
    .optional(),
  timestamp: place
    .describe(
      'Place of the time of signing: header:x-timestamp, part:t (of the signature; part:0 is its first part, without a name), or a payload path.',
    )
    .optional(),
  timestampUnit: z
    .enum(['s', 'ms', 'iso'])
    .describe('Seconds (default), milliseconds or ISO 8601.')
    .optional(),
  tolerance: wholeSeconds.describe('Seconds that the time may be off, either way; default 300.').optional(),
  secretEncoding: z
    .enum(['utf8', 'hex', 'base64', 'whsec'])
    .describe('How the secret becomes the key; whsec: base64 behind whsec_. Default utf8.')
    .optional(),
  publicKey: text
    .describe('The sender’s public key: PEM, a certificate, JWK or base64; of ed25519 hex or whpk_…, too.')
    .optional(),
  keys: text
    .describe(
      'Where the sender publishes its keys: a URL (of a JWKS, key or certificate; {kid} is the key’s id), or the place that names one: header:x-cert-url.',
    )
    .optional(),
  keyHosts: texts
    .describe(
      'Hosts from which such a place may name a key, and a certificate its issuer: sns.*.amazonaws.com.',
    )
    .optional(),
  keyNames: texts
    .describe(
      'Names, one of which a fetched certificate has to be made out to; its issuers then have to lead to a trusted root: sns.amazonaws.com.',
    )
    .optional(),
  keysBody: text
    .describe('JSON to post to the URL of the keys, with {kid} and {secret}, where a GET does not do.')
    .optional(),
  issuer: text.describe('jwt: the issuer that it must name.').optional(),
  audience: text.describe('jwt: the audience that it must name.').optional(),
  bodyClaim: text.describe('jwt: the claim that holds the SHA-256 of the body.').optional(),
  queryClaim: text
    .describe('jwt: the claim that holds Atlassian’s hash of method, path and query: qsh.')
    .optional(),
  proxies: texts
    .describe('client-cert: addresses of the proxies whose header counts: 127.0.0.1, 10.0.0.0/8.')
    .optional(),
  user: text.describe('basic: the user name; default hookctl. The secret is the password.').optional(),
  publicUrl: z
    .url('expected a URL')
    .describe('The URL as the sender knows it, for {url}; default: the webhook’s public URL.')
    .optional(),
  formField: text.describe('Field that holds the JSON when the body is a form; default payload.').optional(),
  deliveryId: place
    .describe('Place of the sender’s id of a delivery: header:x-delivery, or a payload path.')
    .optional(),
};

/** What a request says. */
export const eventFields = {
  eventType: source
    .describe('Event type: header:x-event, a payload path, or {header:x-event}.{action}.')
    .optional(),
  externalId: source
    .describe(
      'What it is about, such as {project}#{issue.number}; of {post.id|page.id} the first that is there.',
    )
    .optional(),
  sender: source.describe('Id of the person who acted; without it, no person did (CI, alerts).').optional(),
  senderName: source.describe('Name of that person, for reading.').optional(),
  author: source
    .describe('Id of the person who wrote the text, where that may be another; default: the sender.')
    .optional(),
  text: source.describe('What a person wrote, where commands are looked for.').optional(),
  textEvents: z
    .union([z.array(text).readonly(), text.transform((value) => value.split(',').map((each) => each.trim()))])
    .describe('Event types on which that text is new (issue.*); default: all.')
    .optional(),
  title: source.describe('Title, for task names.').optional(),
  url: source.describe('Link to it.').optional(),
  uniqueBy: source
    .describe('What makes a delivery unique, such as {group}:{status}; default: its id, else its bytes.')
    .optional(),
};

/** Whose words a request brings where no person is its sender. */
const wordFields = {
  strangersWords: z
    .boolean('expected true or false')
    .describe(
      'Where no person is the sender: true, tasks wait for approval, since a stranger can have written the words (the default of generic and standard); false, they are facts, such as results of your own CI.',
    )
    .optional(),
};

/** Settings of a sender's signature: `signature` of a built-in provider and of `defineProvider`. */
export const signatureSchema = z.strictObject(signatureFields);
/** What `options` of a webhook may set where settings say how its sender signs. */
export const schemeOptions = z.strictObject({ ...signatureFields, ...wordFields });
/** All settings of `generic`. */
export const genericSchema = z.strictObject({
  ...signatureFields,
  ...eventFields,
  ...wordFields,
  ...receiveFields,
});

/** `SignatureSettings`, read: header names in lower case. */
export type ValidSignature = z.output<typeof signatureSchema>;
export type ValidSettings = z.output<typeof genericSchema>;

/** Every setting with what it means, for help. */
export function settingDescriptions(): readonly { readonly name: string; readonly description: string }[] {
  return Object.entries(genericSchema.shape).map(([name, schema]) => ({
    name,
    description: z.globalRegistry.get(schema.unwrap())?.description ?? '',
  }));
}
