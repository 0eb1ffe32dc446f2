import { createPrivateKey, createPublicKey, sign as signBytes } from 'node:crypto';
import { LinearWebhookClient } from '@linear/sdk/webhooks';
import { verifyKey } from 'discord-interactions';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { Webhook as SvixWebhook } from 'svix';
import { describe, expect, it, test } from 'vitest';
import { secret } from '../../src/lib/redact/redact.ts';
import { bitbucket } from '../../src/providers/bitbucket/index.ts';
import { discord } from '../../src/providers/discord/index.ts';
import { linear } from '../../src/providers/linear/index.ts';
import { standard } from '../../src/providers/standard/index.ts';
import { stripe } from '../../src/providers/stripe/index.ts';
import type { Headers, Provider } from '../../src/types.ts';
import { bytes, counter, request, secretsOf } from './support.ts';

/** The senders' own libraries say the same of our signatures as we do, and we of theirs. */
const now = new Date();
const nextNumber = counter();

function signedSamples(provider: Provider, key: string) {
  return provider.samples.map((sample) => {
    const payload = sample.build({ text: 'é @agent analyze \u2028 "x"', now, nextNumber });
    const context = { type: sample.type, secret: secret(key), deliveryId: `msg-${nextNumber()}`, now };
    const { body, headers } = provider.sign(bytes(JSON.stringify(payload)), context);
    return { type: sample.type, text: Buffer.from(body).toString('utf8'), headers };
  });
}

function accepts(
  provider: Provider,
  text: string,
  headers: Headers,
  key: string,
  at = now.getTime(),
): boolean {
  return provider.verify(request(bytes(text), headers), secretsOf(key), at).ok;
}

describe('stripe', () => {
  const { webhooks } = new Stripe('sk_test_x');
  const key = 'whsec_test_secret';

  it.each(signedSamples(stripe, key))('accepts our $type', ({ text, headers }) => {
    const header = headers['stripe-signature'] ?? '';
    expect(webhooks.constructEvent(text, header, key)).toEqual(JSON.parse(text));
    expect(() => webhooks.constructEvent(`${text} `, header, key)).toThrow('No signatures found');
  });

  it('signs what we accept', () => {
    const payload = '{"id":"evt_1","object":"event","type":"é"}';
    const header = webhooks.generateTestHeaderString({ payload, secret: key });
    expect(accepts(stripe, payload, { 'stripe-signature': header }, key)).toBe(true);
    expect(accepts(stripe, `${payload} `, { 'stripe-signature': header }, key)).toBe(false);
  });
});

describe.each([
  ['standardwebhooks', StandardWebhook, 'webhook'],
  ['svix', SvixWebhook, 'svix'],
] as const)('%s', (_, Webhook, name) => {
  const key = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

  it.each(signedSamples(standard, key))('accepts our $type', ({ text, headers }) => {
    expect(() => new Webhook(key).verify(text, headers)).not.toThrow();
    expect(() => new Webhook(key).verify(`${text} `, headers)).toThrow('No matching signature');
  });

  it('signs what we accept, also while a secret is rotated', () => {
    const text = '{"type":"é"}';
    const signature = new Webhook(key).sign('msg_1', now, text);
    const other = new Webhook(`whsec_${Buffer.alloc(32, 8).toString('base64')}`).sign('msg_1', now, text);
    const headers = {
      [`${name}-id`]: 'msg_1',
      [`${name}-timestamp`]: String(Math.floor(now.getTime() / 1000)),
      [`${name}-signature`]: `v2,x ${other} ${signature}`,
    };
    expect(accepts(standard, text, headers, key)).toBe(true);
    expect(standard.deliveryId(headers)).toBe('msg_1');
    expect(accepts(standard, `${text} `, headers, key)).toBe(false);
    expect(accepts(standard, text, { ...headers, [`${name}-id`]: 'msg_2' }, key)).toBe(false);
  });
});

describe('@linear/sdk', () => {
  const client = new LinearWebhookClient('key');

  it.each(signedSamples(linear, 'key'))('accepts our $type', ({ text, headers }) => {
    const signature = headers['linear-signature'] ?? '';
    const timestamp = (JSON.parse(text) as { webhookTimestamp: number }).webhookTimestamp;
    expect(client.verify(Buffer.from(text), signature, timestamp)).toBe(true);
    expect(() => client.verify(Buffer.from(`${text} `), signature, timestamp)).toThrow('Invalid webhook');
  });

  it('has the same window of a minute as we', () => {
    const [sample] = signedSamples(linear, 'key');
    const { text = '', headers = {} } = sample ?? {};
    const at = (seconds: number) => accepts(linear, text, headers, 'key', now.getTime() + seconds * 1000);
    expect([-61, -60, 0, 60, 61].map(at)).toEqual([false, true, true, true, false]);
  });
});

/** RFC 8032, TEST 1. */
const SEED = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
const PUBLIC = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
const PRIVATE = `whsk_${Buffer.from(SEED + PUBLIC, 'hex').toString('base64')}`;

describe('discord-interactions', () => {
  it.each(signedSamples(discord, PRIVATE))('accepts our $type', async ({ text, headers }) => {
    const { 'x-signature-ed25519': signature = '', 'x-signature-timestamp': timestamp = '' } = headers;
    expect(await verifyKey(text, signature, timestamp, PUBLIC)).toBe(true);
    expect(await verifyKey(`${text} `, signature, timestamp, PUBLIC)).toBe(false);
  });

  it('and we take what a private key signs by its public key alone, and never the public key for a private one', () => {
    const der = Buffer.from(`302e020100300506032b657004220420${SEED}`, 'hex');
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    expect(createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('hex')).toContain(PUBLIC);
    const timestamp = String(Math.floor(now.getTime() / 1000));
    const signature = signBytes(null, Buffer.from(`${timestamp}{"type":1}`), key).toString('hex');
    const headers = { 'x-signature-ed25519': signature, 'x-signature-timestamp': timestamp };
    expect(accepts(discord, '{"type":1}', headers, PUBLIC)).toBe(true);
    expect(accepts(discord, '{"type":2}', headers, PUBLIC)).toBe(false);
    const context = { type: 'ping', secret: secret(PUBLIC), deliveryId: 'x', now };
    expect(() => discord.sign(bytes('{}'), context)).toThrow('only the sender can sign');
  });
});

describe('published and derived signatures', () => {
  const message = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
  };
  test.each<readonly [string, Provider, string, string, string, Headers, number]>([
    [
      'Standard Webhooks, v1',
      standard,
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      '{"test": 2432232314}',
      { ...message, 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' },
      1614265330,
    ],
    [
      'Standard Webhooks, v1a',
      standard,
      'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=',
      'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=',
      '{"test": 2432232314}',
      {
        ...message,
        'webhook-signature':
          'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
      },
      1614265330,
    ],
    [
      'Stripe',
      stripe,
      'whsec_test_secret',
      'whsec_test_secret',
      '{"id":"evt_test_webhook","object":"event"}',
      {
        'stripe-signature':
          't=1492774577,v1=88a022085c6bdb887b02cb26ff76dd681234d9675c0f22844059f55552a8883a,v0=00',
      },
      1492774577,
    ],
    [
      'Bitbucket',
      bitbucket,
      "It's a Secret to Everybody",
      "It's a Secret to Everybody",
      'Hello World!',
      { 'x-hub-signature': 'sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9' },
      0,
    ],
    [
      'Discord',
      discord,
      PUBLIC,
      Buffer.from(PUBLIC, 'hex').toString('base64'),
      '{"type":1}',
      {
        'x-signature-timestamp': '1531420618',
        'x-signature-ed25519':
          '5dddde0612f335c8939507612e69436c8bac6f3dbbd8101b64ddad9ac3da9b7039b46294d43c8fc973db1179e3bffba5670d9e804c9dd8d668b090d55984a305',
      },
      1531420618,
    ],
  ])('%s', (_, provider, key, sameKey, text, headers, seconds) => {
    expect(accepts(provider, text, headers, key, seconds * 1000)).toBe(true);
    expect(accepts(provider, text, headers, sameKey, seconds * 1000)).toBe(true);
    expect(accepts(provider, `${text}\n`, headers, key, seconds * 1000)).toBe(false);
    if (seconds > 0) expect(accepts(provider, text, headers, key, (seconds + 301) * 1000)).toBe(false);
  });
});
