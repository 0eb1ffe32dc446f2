import {
  createHash,
  createHmac,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signWith,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Headers, JsonObject } from '../../src/types.ts';

/*
 * Fifty senders and more: the settings of `generic` by which each is received, and how it signs by its documents. What is
 * written here owes nothing to the code under test. Vectors made by the senders' own SDKs are in `vectors.json`.
 */

/** What a sender has when it signs. */
export interface Signing {
  readonly body: string;
  readonly secret: string;
  /** Epoch milliseconds. */
  readonly now: number;
  /** URL that the sender was given. */
  readonly url: string;
  /** Where the test serves keys: `http://127.0.0.1:port`. */
  readonly keys: string;
}

export interface Signed {
  readonly headers?: Headers;
  readonly query?: string;
  readonly body?: string;
}

export interface TableSender {
  readonly name: string;
  /** `{keys}` in a value is where the test serves keys. */
  readonly settings: JsonObject;
  readonly secret?: string;
  readonly body?: string;
  readonly contentType?: string;
  sign(signing: Signing): Signed | Promise<Signed>;
  /** What of the body is signed; left out: all. `none`: a token. */
  readonly signs?: 'fields' | 'none';
}

const JSON_BODY = '{"type":"order.paid","id":"evt_1","amount":1200,"note":"first é"}';
const BASE64_KEY = Buffer.from('a key of thirty-two bytes, or so').toString('base64');
const HEX_KEY = Buffer.from('a key of thirty-two bytes, or so').toString('hex');
const SECRET = 'a-secret-of-the-sender';

type Digits = 'hex' | 'base64' | 'base64url';

function mac(key: string | Buffer, data: string, digits: Digits = 'hex', algorithm = 'sha256'): string {
  return createHmac(algorithm, key).update(data).digest(digits);
}

function sha256(data: string): string {
  return createHash('sha256').update(data).digest('hex');
}

const seconds = (now: number) => String(Math.floor(now / 1000));
const iso = (now: number) => new Date(now).toISOString();

/** A sender whose one header is an HMAC of the body. */
function plain(name: string, header: string, settings: JsonObject = {}, secret = SECRET): TableSender {
  const { algorithm = 'sha256', encoding = 'hex', prefix = '', secretEncoding } = settings;
  const isBase64 = secretEncoding === 'base64';
  return {
    name,
    settings: { header, ...settings },
    secret,
    sign: ({ body, secret: key }) => {
      const bytes =
        secretEncoding === 'hex' ? Buffer.from(key, 'hex') : isBase64 ? Buffer.from(key, 'base64') : key;
      return { headers: { [header]: `${prefix}${mac(bytes, body, encoding as Digits, String(algorithm))}` } };
    },
  };
}

/** `t=…,v1=…` in one header. */
function stripeLike(name: string, header: string, separator = ',', settings: JsonObject = {}): TableSender {
  const {
    prefix = 'v1=',
    timestamp = 'part:t',
    timestampUnit = 's',
    signedContent = '{timestamp}.{body}',
  } = settings;
  return {
    name,
    settings: { header, separator, prefix, timestamp, timestampUnit, signedContent },
    sign: ({ body, secret, now }) => {
      const time = timestampUnit === 'ms' ? String(now) : seconds(now);
      const content = String(signedContent).replace('{timestamp}', time).replace('{body}', body);
      const mark = String(timestamp) === 'part:0' ? '' : `${String(timestamp).slice('part:'.length)}=`;
      return { headers: { [header]: `${mark}${time}${separator}${prefix}${mac(secret, content)}` } };
    },
  };
}

/** A signature and a time in two headers. */
function timed(
  name: string,
  [header, timeHeader]: readonly [string, string],
  signedContent: string,
  settings: JsonObject = {},
): TableSender {
  const { timestampUnit = 's', encoding = 'hex', prefix = '' } = settings;
  return {
    name,
    settings: { header, timestamp: `header:${timeHeader}`, signedContent, ...settings },
    sign: ({ body, secret, now, url }) => {
      const time = timestampUnit === 'iso' ? iso(now) : timestampUnit === 'ms' ? String(now) : seconds(now);
      const values: Record<string, string> = {
        timestamp: time,
        body,
        url,
        id: 'msg-1',
        method: 'POST',
        path: new URL(url).pathname,
      };
      const content = signedContent.replace(
        /\{(?:header:)?([\w-]+)\}/g,
        (_, key: string) => values[key] ?? 'header-value',
      );
      const digits = mac(secret, content, encoding as Digits);
      return {
        headers: {
          [header]: `${prefix}${digits}`,
          [timeHeader]: time,
          ...(signedContent.includes('{id}') && { 'message-id': 'msg-1' }),
        },
      };
    },
  };
}

function token(name: string, settings: JsonObject, place: (secret: string) => Signed): TableSender {
  return {
    name,
    settings: { scheme: 'token', ...settings },
    signs: 'none',
    sign: ({ secret }) => place(secret),
  };
}

const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');
const CERTIFICATE_KEY = createPrivateKey(fixture('key.pem'));

/** What the test serves under `keys`. */
export const KEY_DOCUMENTS: Readonly<Record<string, { readonly method: string; readonly body: string }>> = {
  '/jwks.json': {
    method: 'GET',
    body: JSON.stringify({
      keys: [{ ...RSA.publicKey.export({ format: 'jwk' }), kid: 'rsa-1', use: 'sig', alg: 'RS256' }],
    }),
  },
  '/webhook_verification_key/get': {
    method: 'POST',
    body: JSON.stringify({ key: { ...EC.publicKey.export({ format: 'jwk' }), kid: 'ec-1', alg: 'ES256' } }),
  },
  '/rsa-2.pem': { method: 'GET', body: RSA.publicKey.export({ format: 'pem', type: 'spki' }).toString() },
  '/certificate.pem': { method: 'GET', body: fixture('certificate.pem') },
};

/** A JSON Web Token (RFC 7515, 7518), made by hand. */
function jwt(alg: string, key: string | KeyObject, payload: JsonObject, head: JsonObject = {}): string {
  const encoded = [{ alg, typ: 'JWT', ...head }, payload].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  const data = encoded.join('.');
  if (typeof key === 'string') return `${data}.${mac(key, data, 'base64url')}`;
  const how = alg.startsWith('ES') ? { key, dsaEncoding: 'ieee-p1363' as const } : key;
  return `${data}.${signWith('sha256', Buffer.from(data), how).toString('base64url')}`;
}

const SNS_FIELDS = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'] as const;
const ADYEN_ITEM = {
  pspReference: '7914073381342284',
  merchantAccountCode: 'TestMerchant',
  merchantReference: 'TestPayment-1407325143704',
  amount: { value: 1130, currency: 'EUR' },
  eventCode: 'AUTHORISATION',
  success: 'true',
};
const ADYEN_AT = 'notificationItems.0.NotificationRequestItem';
const ADYEN_PATHS = [
  'pspReference',
  'originalReference',
  'merchantAccountCode',
  'merchantReference',
  'amount.value',
  'amount.currency',
  'eventCode',
  'success',
];
const FORM = 'AccountSid=AC1&From=%2B14158675309&Body=Hello+there&To=%2B18005551212';

export const TABLE: readonly TableSender[] = [
  plain('LINE', 'x-line-signature', { encoding: 'base64' }),
  {
    name: 'Square',
    settings: { header: 'x-square-hmacsha256-signature', encoding: 'base64', signedContent: '{url}{body}' },
    sign: ({ body, secret, url }) => ({
      headers: { 'x-square-hmacsha256-signature': mac(secret, url + body, 'base64') },
    }),
  },
  stripeLike('Paddle', 'paddle-signature', ';', {
    prefix: 'h1=',
    timestamp: 'part:ts',
    signedContent: '{timestamp}:{body}',
  }),
  stripeLike('WorkOS', 'workos-signature', ', ', { timestampUnit: 'ms' }),
  stripeLike('Mux', 'mux-signature'),
  plain('Razorpay', 'x-razorpay-signature'),
  plain('Adyen banking', 'hmacsignature', { secretEncoding: 'hex', encoding: 'base64' }, HEX_KEY),
  timed(
    'HubSpot v3',
    ['x-hubspot-signature-v3', 'x-hubspot-request-timestamp'],
    'POST{url}{body}{timestamp}',
    { timestampUnit: 'ms', encoding: 'base64' },
  ),
  {
    name: 'Resend, Clerk (Svix)',
    settings: {
      header: 'svix-signature',
      prefix: 'v1,',
      separator: ' ',
      encoding: 'base64',
      signedContent: '{id}.{timestamp}.{body}',
      timestamp: 'header:svix-timestamp',
      deliveryId: 'header:svix-id',
      secretEncoding: 'whsec',
    },
    secret: `whsec_${BASE64_KEY}`,
    sign: ({ body, now, secret }) => {
      const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
      const signature = mac(key, `msg_1.${seconds(now)}.${body}`, 'base64');
      return {
        headers: { 'svix-id': 'msg_1', 'svix-timestamp': seconds(now), 'svix-signature': `v1,${signature}` },
      };
    },
  },
  {
    name: 'Contentful',
    secret: 'c'.repeat(64),
    settings: {
      header: 'x-contentful-signature',
      timestamp: 'header:x-contentful-timestamp',
      timestampUnit: 'ms',
      signedContent:
        'POST\n{path}\nx-contentful-signed-headers:{header:x-contentful-signed-headers};x-contentful-timestamp:{timestamp}\n{body}',
    },
    sign: ({ body, secret, now, url }) => {
      const names = 'x-contentful-signed-headers,x-contentful-timestamp';
      const content = `POST\n${new URL(url).pathname}\nx-contentful-signed-headers:${names};x-contentful-timestamp:${now}\n${body}`;
      return {
        headers: {
          'x-contentful-signature': mac(secret, content),
          'x-contentful-signed-headers': names,
          'x-contentful-timestamp': String(now),
        },
      };
    },
  },
  plain('Shopify', 'x-shopify-hmac-sha256', { encoding: 'base64' }),
  stripeLike('Stripe', 'stripe-signature'),
  {
    name: 'Trello',
    settings: {
      header: 'x-trello-webhook',
      algorithm: 'sha1',
      encoding: 'base64',
      signedContent: '{body}{url}',
    },
    sign: ({ body, secret, url }) => ({
      headers: { 'x-trello-webhook': mac(secret, body + url, 'base64', 'sha1') },
    }),
  },
  plain('Lemon Squeezy', 'x-signature'),
  plain('Dropbox', 'x-dropbox-signature'),
  plain('Asana', 'x-hook-signature'),
  plain('Cal.com', 'x-cal-signature-256'),
  plain('Coinbase', 'x-cc-webhook-signature'),
  plain('Xero', 'x-xero-signature', { encoding: 'base64' }),
  plain('DocuSign', 'x-docusign-signature-1', { encoding: 'base64' }),
  plain('QuickBooks', 'intuit-signature', { encoding: 'base64' }),
  plain('Vercel', 'x-vercel-signature', { algorithm: 'sha1' }),
  plain('Intercom', 'x-hub-signature', { algorithm: 'sha1', prefix: 'sha1=' }),
  plain('Paystack', 'x-paystack-signature', { algorithm: 'sha512' }),
  plain('Typeform', 'typeform-signature', { prefix: 'sha256=', encoding: 'base64' }),
  timed('Zoom', ['x-zm-signature', 'x-zm-request-timestamp'], 'v0:{timestamp}:{body}', { prefix: 'v0=' }),
  plain('CircleCI', 'circleci-signature', { prefix: 'v1=', separator: ',' }),
  stripeLike('Buildkite', 'x-buildkite-signature', ',', {
    prefix: 'signature=',
    timestamp: 'part:timestamp',
  }),
  timed(
    'Zendesk',
    ['x-zendesk-webhook-signature', 'x-zendesk-webhook-signature-timestamp'],
    '{timestamp}{body}',
    { encoding: 'base64', timestampUnit: 'iso' },
  ),
  timed('Box', ['box-signature-primary', 'box-delivery-timestamp'], '{body}{timestamp}', {
    encoding: 'base64',
    timestampUnit: 'iso',
  }),
  timed('Webflow', ['x-webflow-signature', 'x-webflow-timestamp'], '{timestamp}:{body}', {
    timestampUnit: 'ms',
  }),
  plain('Notion', 'x-notion-signature', { prefix: 'sha256=' }),
  timed('Klaviyo', ['klaviyo-signature', 'klaviyo-timestamp'], '{body}{timestamp}'),
  timed(
    'Twitch EventSub',
    ['twitch-eventsub-message-signature', 'twitch-eventsub-message-timestamp'],
    '{id}{timestamp}{body}',
    { prefix: 'sha256=', timestampUnit: 'iso', deliveryId: 'header:message-id' },
  ),
  plain(
    'Teams outgoing',
    'authorization',
    { prefix: 'HMAC ', encoding: 'base64', secretEncoding: 'base64' },
    BASE64_KEY,
  ),
  token('Telegram', { header: 'x-telegram-bot-api-secret-token' }, (secret) => ({
    headers: { 'x-telegram-bot-api-secret-token': secret },
  })),
  token('Okta', { header: 'authorization', prefix: '' }, (secret) => ({
    headers: { authorization: secret },
  })),
  stripeLike('Sanity in hex', 'sanity-webhook-signature', ',', { timestampUnit: 'ms' }),
  {
    name: 'Sanity',
    settings: {
      header: 'sanity-webhook-signature',
      separator: ',',
      prefix: 'v1=',
      timestamp: 'part:t',
      timestampUnit: 'ms',
      encoding: 'base64url',
      signedContent: '{timestamp}.{body}',
    },
    sign: ({ body, secret, now }) => ({
      headers: { 'sanity-webhook-signature': `t=${now},v1=${mac(secret, `${now}.${body}`, 'base64url')}` },
    }),
  },
  {
    name: 'hex in capitals',
    settings: { header: 'x-signature' },
    sign: ({ body, secret }) => ({ headers: { 'x-signature': mac(secret, body).toUpperCase() } }),
  },
  plain('sha384', 'x-signature', { algorithm: 'sha384' }),
  {
    name: 'Twilio',
    settings: {
      header: 'x-twilio-signature',
      algorithm: 'sha1',
      encoding: 'base64',
      signedContent: '{url}{form}',
    },
    body: FORM,
    contentType: 'application/x-www-form-urlencoded',
    sign: ({ body, secret, url }) => {
      const sorted = [...new URLSearchParams(body)]
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .flat()
        .join('');
      return { headers: { 'x-twilio-signature': mac(secret, url + sorted, 'base64', 'sha1') } };
    },
  },
  {
    name: 'Twilio, JSON',
    settings: {
      header: 'x-twilio-signature',
      algorithm: 'sha1',
      encoding: 'base64',
      signedContent: '{url}{form}',
    },
    sign: ({ body, secret, url }) => {
      const query = `bodySHA256=${sha256(body)}`;
      return { query, headers: { 'x-twilio-signature': mac(secret, `${url}?${query}`, 'base64', 'sha1') } };
    },
  },
  {
    name: 'HubSpot v1',
    settings: { scheme: 'hash', header: 'x-hubspot-signature', signedContent: '{secret}{body}' },
    sign: ({ body, secret }) => ({ headers: { 'x-hubspot-signature': sha256(secret + body) } }),
  },
  {
    name: 'HubSpot v2',
    settings: { scheme: 'hash', header: 'x-hubspot-signature', signedContent: '{secret}{method}{url}{body}' },
    sign: ({ body, secret, url }) => ({
      headers: { 'x-hubspot-signature': sha256(`${secret}POST${url}${body}`) },
    }),
  },
  {
    name: 'SendGrid',
    settings: {
      scheme: 'ecdsa',
      header: 'x-twilio-email-event-webhook-signature',
      timestamp: 'header:x-twilio-email-event-webhook-timestamp',
      signedContent: '{timestamp}{body}',
    },
    body: '[{"email":"a@example.com","event":"bounce","sg_event_id":"e1"}]',
    secret: EC.publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    sign: ({ body, now }) => ({
      headers: {
        'x-twilio-email-event-webhook-signature': signWith(
          'sha256',
          Buffer.from(seconds(now) + body),
          EC.privateKey,
        ).toString('base64'),
        'x-twilio-email-event-webhook-timestamp': seconds(now),
      },
    }),
  },
  {
    name: 'Plaid',
    settings: {
      scheme: 'jwt',
      header: 'plaid-verification',
      keys: '{keys}/webhook_verification_key/get',
      keysBody: '{"client_id":"c1","secret":"{secret}","key_id":"{kid}"}',
      bodyClaim: 'request_body_sha256',
    },
    sign: ({ body, now }) => {
      const payload = { iat: Number(seconds(now)), request_body_sha256: sha256(body) };
      return { headers: { 'plaid-verification': jwt('ES256', EC.privateKey, payload, { kid: 'ec-1' }) } };
    },
  },
  {
    name: 'Netlify',
    settings: { scheme: 'jwt', header: 'x-webhook-signature', issuer: 'netlify', bodyClaim: 'sha256' },
    sign: ({ body, secret }) => ({
      headers: { 'x-webhook-signature': jwt('HS256', secret, { iss: 'netlify', sha256: sha256(body) }) },
    }),
  },
  {
    name: 'Jira Connect',
    settings: { scheme: 'jwt', prefix: 'JWT ', issuer: 'client-key', queryClaim: 'qsh' },
    signs: 'none',
    sign: ({ secret, now, url }) => {
      const qsh = sha256(`POST&${new URL(url).pathname}&user_id=a%20b&user_key=x`);
      const payload = { iss: 'client-key', iat: Number(seconds(now)), exp: Number(seconds(now)) + 180, qsh };
      return {
        query: 'user_key=x&user_id=a+b',
        headers: { authorization: `JWT ${jwt('HS256', secret, payload)}` },
      };
    },
  },
  {
    name: 'Jira Connect, installed',
    settings: {
      scheme: 'jwt',
      prefix: 'JWT ',
      keys: '{keys}/{kid}.pem',
      audience: 'https://hooks.example.com',
      queryClaim: 'qsh',
    },
    signs: 'none',
    sign: ({ now, url }) => {
      const qsh = sha256(`POST&${new URL(url).pathname}&`);
      const payload = {
        iss: 'k',
        aud: ['https://hooks.example.com'],
        iat: Number(seconds(now)),
        exp: Number(seconds(now)) + 180,
        qsh,
      };
      return { headers: { authorization: `JWT ${jwt('RS256', RSA.privateKey, payload, { kid: 'rsa-2' })}` } };
    },
  },
  {
    name: 'Atlassian Forge',
    settings: { scheme: 'jwt', keys: '{keys}/jwks.json', audience: 'ari:cloud:ecosystem::app/1' },
    signs: 'none',
    sign: ({ now }) => {
      const payload = {
        iss: 'forge/invocation-token',
        aud: 'ari:cloud:ecosystem::app/1',
        exp: Number(seconds(now)) + 60,
      };
      return {
        headers: { authorization: `Bearer ${jwt('RS256', RSA.privateKey, payload, { kid: 'rsa-1' })}` },
      };
    },
  },
  {
    name: 'Monday',
    settings: { scheme: 'jwt', header: 'authorization', prefix: '' },
    signs: 'none',
    sign: ({ secret, now, url }) => ({
      headers: { authorization: jwt('HS256', secret, { aud: url, exp: Number(seconds(now)) + 60 }) },
    }),
  },
  {
    name: 'PayPal',
    settings: {
      scheme: 'rsa',
      header: 'paypal-transmission-sig',
      keys: 'header:paypal-cert-url',
      keyHosts: '127.0.0.1:*',
      timestamp: 'header:paypal-transmission-time',
      timestampUnit: 'iso',
      deliveryId: 'header:paypal-transmission-id',
      signedContent: '{id}|{timestamp}|{secret}|{crc32}',
    },
    secret: '8PT597110X687430LKGECATA',
    sign: ({ body, secret, now, keys }) => {
      const content = `tx-1|${iso(now)}|${secret}|${crc32(body)}`;
      return {
        headers: {
          'paypal-transmission-id': 'tx-1',
          'paypal-transmission-time': iso(now),
          'paypal-cert-url': `${keys}/certificate.pem`,
          'paypal-transmission-sig': signWith('sha256', Buffer.from(content), CERTIFICATE_KEY).toString(
            'base64',
          ),
        },
      };
    },
  },
  {
    name: 'Amazon SNS',
    settings: {
      scheme: 'rsa',
      signature: 'Signature',
      keys: 'SigningCertURL',
      keyHosts: '127.0.0.1:*',
      signedContent:
        '{fields:Message,MessageId,Subject,SubscribeURL,Timestamp,Token}TopicArn\n{secret}\n{fields:Type}',
      timestamp: 'Timestamp',
      timestampUnit: 'iso',
      tolerance: 3600,
    },
    signs: 'fields',
    secret: 'arn:aws:sns:us-east-1:123456789012:MyTopic',
    sign: ({ secret, now, keys }) => {
      const message: Record<string, string> = {
        Type: 'Notification',
        MessageId: 'm-1',
        TopicArn: secret,
        Subject: 'first',
        Message: 'Hello',
        Timestamp: iso(now),
      };
      const content = SNS_FIELDS.map((name) => `${name}\n${message[name]}\n`).join('');
      const Signature = signWith('sha256', Buffer.from(content), CERTIFICATE_KEY).toString('base64');
      return {
        body: JSON.stringify({
          ...message,
          SignatureVersion: '2',
          Signature,
          SigningCertURL: `${keys}/certificate.pem`,
        }),
      };
    },
  },
  {
    name: 'Adyen payments',
    settings: {
      signature: `${ADYEN_AT}.additionalData.hmacSignature`,
      encoding: 'base64',
      secretEncoding: 'hex',
      signedContent: ADYEN_PATHS.map((path) => `{payload:${ADYEN_AT}.${path}}`).join(':'),
    },
    signs: 'fields',
    secret: HEX_KEY,
    sign: ({ secret }) => {
      const { pspReference, merchantAccountCode, merchantReference, amount, eventCode, success } = ADYEN_ITEM;
      const content = [
        pspReference,
        '',
        merchantAccountCode,
        merchantReference,
        amount.value,
        amount.currency,
        eventCode,
        success,
      ].join(':');
      const additionalData = { hmacSignature: mac(Buffer.from(secret, 'hex'), content, 'base64') };
      return {
        body: JSON.stringify({
          live: 'false',
          notificationItems: [{ NotificationRequestItem: { ...ADYEN_ITEM, additionalData } }],
        }),
      };
    },
  },
  {
    name: 'Mailgun',
    settings: {
      signature: 'signature.signature',
      signedContent: '{payload:signature.timestamp}{payload:signature.token}',
      timestamp: 'signature.timestamp',
    },
    signs: 'fields',
    sign: ({ secret, now }) => {
      const signature = {
        timestamp: seconds(now),
        token: 't'.repeat(50),
        signature: mac(secret, seconds(now) + 't'.repeat(50)),
      };
      return { body: JSON.stringify({ signature, 'event-data': { event: 'failed', id: 'first' } }) };
    },
  },
  token('Figma', { signature: 'passcode' }, (passcode) => ({
    body: JSON.stringify({ event_type: 'FILE_COMMENT', passcode, webhook_id: '22' }),
  })),
  stripeLike('Recurly', 'recurly-signature', ',', { prefix: '', timestamp: 'part:0', timestampUnit: 'ms' }),
  token('a token in the query', { signature: 'query:token' }, (token) => ({
    query: `a=1&token=${encodeURIComponent(token)}`,
  })),
  token('Microsoft Graph, clientState', { signature: 'value.0.clientState' }, (clientState) => ({
    body: JSON.stringify({ value: [{ clientState, changeType: 'created' }] }),
  })),
  {
    name: 'HTTP Message Signatures, HMAC',
    settings: { scheme: 'message-signature' },
    sign: ({ body, secret, now, url }) =>
      messageSignature(
        body,
        now,
        url,
        (base) => createHmac('sha256', secret).update(base).digest(),
        'hmac-sha256',
      ),
  },
  {
    name: 'HTTP Message Signatures, ECDSA',
    settings: {
      scheme: 'message-signature',
      publicKey: EC.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    },
    sign: ({ body, now, url }) =>
      messageSignature(
        body,
        now,
        url,
        (base) => signWith('sha256', Buffer.from(base), { key: EC.privateKey, dsaEncoding: 'ieee-p1363' }),
        'ecdsa-p256-sha256',
      ),
  },
  {
    name: 'a client certificate behind a proxy',
    settings: {
      scheme: 'client-cert',
      header: 'x-forwarded-client-cert',
      separator: ';',
      prefix: 'Hash=',
      proxies: '127.0.0.1,10.0.0.0/8',
    },
    signs: 'none',
    secret: 'AB:'.repeat(31).concat('CD'),
    sign: ({ secret }) => ({
      headers: {
        'x-forwarded-client-cert': `By=spiffe://x;Hash=${secret.replaceAll(':', '').toLowerCase()}`,
      },
    }),
  },
];

function messageSignature(
  body: string,
  now: number,
  url: string,
  signed: (base: string) => Buffer,
  alg: string,
): Signed {
  const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
  const params = `("@method" "@target-uri" "content-digest");created=${seconds(now)};keyid="k";alg="${alg}"`;
  const base = `"@method": POST\n"@target-uri": ${url}\n"content-digest": ${digest}\n"@signature-params": ${params}`;
  return {
    headers: {
      'content-digest': digest,
      'signature-input': `sig1=${params}`,
      signature: `sig1=:${signed(base).toString('base64')}:`,
    },
  };
}

export { JSON_BODY, SECRET };
