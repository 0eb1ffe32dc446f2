/**
 * `npm run test:senders`, first part: the senders' own SDKs, from npm into a temporary folder, judge the requests of
 * `test/senders/table.ts`, good and changed, or sign them themselves. What they sign is `test/senders/vectors.json`, by which
 * `npm test` goes; `node test/opt-in/sender-sdks.ts --write` writes it.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { JSON_BODY, SECRET, type Signed, TABLE, type TableSender } from '../senders/table.ts';

const URL_OF_ALL = 'https://hooks.example.com/webhooks/orders';
const VECTORS = new URL('../senders/vectors.json', import.meta.url);
/** The moment of the vectors, which is that of the unit tests. */
const VECTOR_TIME = Date.parse('2026-11-23T12:00:00.000Z');

/** A request as an SDK is given it. */
interface Given extends Required<Pick<Signed, 'headers'>> {
  readonly body: string;
  readonly query: string;
  readonly secret: string;
  readonly now: number;
}

interface SdkCheck {
  /** Name in the table. */
  readonly sender: string;
  readonly sdk: string;
  /** Whether the SDK takes the request for genuine; a throw is a no. */
  readonly verify?: (sdk: Sdk, given: Given) => unknown;
  /** The headers that the SDK would send, of which the table has to have the same. */
  readonly sign?: (sdk: Sdk, given: Given) => Readonly<Record<string, string>>;
}

// biome-ignore lint/suspicious/noExplicitAny: fifteen packages that are not installed here have no types
type Sdk = any;

const seconds = (now: number) => Math.floor(now / 1000);
const form = (body: string) => Object.fromEntries(new URLSearchParams(body));

const CHECKS: readonly SdkCheck[] = [
  {
    sender: 'LINE',
    sdk: '@line/bot-sdk',
    verify: (sdk, { body, secret, headers }) =>
      sdk.validateSignature(body, secret, headers['x-line-signature']),
  },
  {
    sender: 'Square',
    sdk: 'square',
    verify: (sdk, { body, secret, headers }) =>
      sdk.WebhooksHelper.verifySignature({
        requestBody: body,
        signatureHeader: headers['x-square-hmacsha256-signature'],
        signatureKey: secret,
        notificationUrl: URL_OF_ALL,
      }),
  },
  {
    sender: 'Paddle',
    sdk: '@paddle/paddle-node-sdk',
    verify: (sdk, { body, secret, headers }) =>
      new sdk.Paddle('key').webhooks.isSignatureValid(body, secret, headers['paddle-signature']),
  },
  {
    sender: 'WorkOS',
    sdk: '@workos-inc/node',
    verify: (sdk, { body, secret, headers }) =>
      new sdk.WorkOS('sk_test').webhooks.verifyHeader({
        payload: JSON.parse(body),
        sigHeader: headers['workos-signature'],
        secret,
      }),
  },
  {
    sender: 'Mux',
    sdk: '@mux/mux-node',
    verify: async (sdk, { body, secret, headers }) => {
      const Mux = sdk.default ?? sdk;
      await new Mux({ tokenId: 'a', tokenSecret: 'b' }).webhooks.verifySignature(body, headers, secret);
      return true;
    },
  },
  {
    sender: 'Razorpay',
    sdk: 'razorpay',
    verify: (sdk, { body, secret, headers }) =>
      sdk.validateWebhookSignature(body, headers['x-razorpay-signature'], secret),
  },
  {
    sender: 'HubSpot v3',
    sdk: '@hubspot/api-client',
    sign: (sdk, { body, secret, now }) => ({
      'x-hubspot-signature-v3': sdk.Signature.getSignature('POST', 'v3', {
        ...{
          signatureVersion: 'v3',
          method: 'POST',
          clientSecret: secret,
          requestBody: body,
          url: URL_OF_ALL,
          timestamp: now,
        },
      }),
    }),
  },
  ...(['v1', 'v2'] as const).map(
    (version): SdkCheck => ({
      sender: `HubSpot ${version}`,
      sdk: '@hubspot/api-client',
      sign: (sdk, { body, secret }) => ({
        'x-hubspot-signature': sdk.Signature.getSignature('POST', version, {
          ...{ method: 'POST', clientSecret: secret, requestBody: body, url: URL_OF_ALL },
        }),
      }),
    }),
  ),
  {
    sender: 'Resend, Clerk (Svix)',
    sdk: 'svix',
    sign: (sdk, { body, secret, now }) => ({
      'svix-signature': new sdk.Webhook(secret).sign('msg_1', new Date(now), body),
    }),
    verify: (sdk, { body, secret, headers }) => new sdk.Webhook(secret).verify(body, headers),
  },
  {
    sender: 'Contentful',
    sdk: '@contentful/node-apps-toolkit',
    sign: (sdk, { body, secret, now }) =>
      sdk.signRequest(secret, { method: 'POST', path: new URL(URL_OF_ALL).pathname, headers: {}, body }, now),
    verify: (sdk, { body, headers, secret }) =>
      sdk.verifyRequest(secret, { method: 'POST', path: new URL(URL_OF_ALL).pathname, headers, body }),
  },
  {
    sender: 'Stripe',
    sdk: 'stripe',
    sign: (sdk, { body, secret, now }) => ({
      'stripe-signature': new (sdk.default ?? sdk)('sk_test').webhooks.generateTestHeaderString({
        payload: body,
        secret,
        timestamp: seconds(now),
      }),
    }),
    verify: (sdk, { body, secret, headers }) =>
      new (sdk.default ?? sdk)('sk_test').webhooks.constructEvent(body, headers['stripe-signature'], secret),
  },
  {
    sender: 'Twilio',
    sdk: 'twilio',
    sign: (sdk, { body, secret }) => ({
      'x-twilio-signature': sdk.getExpectedTwilioSignature(secret, URL_OF_ALL, form(body)),
    }),
    verify: (sdk, { body, secret, headers }) =>
      sdk.validateRequest(secret, headers['x-twilio-signature'], URL_OF_ALL, form(body)),
  },
  {
    sender: 'Twilio, JSON',
    sdk: 'twilio',
    verify: (sdk, { body, secret, headers, query }) =>
      sdk.validateRequestWithBody(secret, headers['x-twilio-signature'], `${URL_OF_ALL}?${query}`, body),
  },
  {
    sender: 'SendGrid',
    sdk: '@sendgrid/eventwebhook',
    verify: (sdk, { body, secret, headers }) => {
      const webhook = new sdk.EventWebhook();
      return webhook.verifySignature(
        webhook.convertPublicKeyToECDSA(secret),
        body,
        headers['x-twilio-email-event-webhook-signature'],
        headers['x-twilio-email-event-webhook-timestamp'],
      );
    },
  },
  {
    sender: 'Sanity',
    sdk: '@sanity/webhook',
    verify: (sdk, { body, secret, headers }) =>
      sdk.isValidSignature(body, headers['sanity-webhook-signature'], secret),
  },
  {
    sender: 'Adyen payments',
    sdk: '@adyen/api-library',
    verify: (sdk, { body, secret }) =>
      new (sdk.hmacValidator.default ?? sdk.hmacValidator)().validateHMAC(
        JSON.parse(body).notificationItems[0].NotificationRequestItem,
        secret,
      ),
  },
  {
    sender: 'Adyen banking',
    sdk: '@adyen/api-library',
    verify: (sdk, { body, secret, headers }) =>
      new (sdk.hmacValidator.default ?? sdk.hmacValidator)().validateHMACSignature(
        secret,
        headers.hmacsignature,
        body,
      ),
  },
];

interface Vector {
  readonly sender: string;
  readonly sdk: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly query: string;
}

async function givenBy(sender: TableSender, now: number): Promise<Given> {
  const { body = JSON_BODY, secret = SECRET } = sender;
  const signed = await sender.sign({ body, secret, now, url: URL_OF_ALL, keys: '' });
  return { headers: signed.headers ?? {}, body: signed.body ?? body, query: signed.query ?? '', secret, now };
}

async function holds(check: () => unknown): Promise<boolean> {
  try {
    return (await check()) !== false;
  } catch {
    return false;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'hookctl-sdks-'));
const tally = { passed: 0, failed: 0, skipped: 0 };
const vectors: Vector[] = [];
try {
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const names = [...new Set(CHECKS.map(({ sdk }) => sdk))];
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', ...names];
  execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const require = createRequire(pathToFileURL(join(folder, 'package.json')));
  for (const check of CHECKS) await run(check, require);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (process.argv.includes('--write')) writeFileSync(VECTORS, `${JSON.stringify(vectors, null, 2)}\n`);
else
  report(
    'vectors.json is what the SDKs sign',
    isDeepStrictEqual(JSON.parse(readFileSync(VECTORS, 'utf8')), vectors),
  );
console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
process.exitCode = tally.failed > 0 ? 1 : 0;

async function run(
  { sender: name, sdk: pack, verify, sign }: SdkCheck,
  require: NodeJS.Require,
): Promise<void> {
  const sender = TABLE.find((each) => each.name === name);
  if (sender === undefined) throw new Error(`the table has no ${name}`);
  let sdk: Sdk;
  try {
    sdk = require(pack);
  } catch (error) {
    tally.skipped += 1;
    console.log(
      `skipped  ${name}: ${pack} cannot be loaded: ${error instanceof Error ? error.message.split('\n')[0] : error}`,
    );
    return;
  }
  if (verify !== undefined) {
    const given = await givenBy(sender, Date.now());
    const changed = { ...given, body: given.body.replace(/first|Hello|1130|bounce/, 'other') };
    report(`${name}: ${pack} accepts it`, await holds(() => verify(sdk, given)));
    report(`${name}: ${pack} refuses another body`, !(await holds(() => verify(sdk, changed))));
  }
  if (sign !== undefined) {
    const given = await givenBy(sender, VECTOR_TIME);
    const made = sign(sdk, given);
    report(
      `${name}: ${pack} signs the same`,
      Object.entries(made).every(([header, value]) => given.headers[header] === value),
    );
    vectors.push({
      sender: name,
      sdk: pack,
      headers: { ...given.headers, ...made },
      body: given.body,
      query: given.query,
    });
  }
}

function report(what: string, isRight: boolean): void {
  tally[isRight ? 'passed' : 'failed'] += 1;
  console.log(`${isRight ? 'passed ' : 'FAILED '}  ${what}`);
}
