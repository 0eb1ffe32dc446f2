import { sign, verify } from '@octokit/webhooks-methods';
import bolt from '@slack/bolt/dist/receivers/verify-request.js';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { secret } from '../../src/lib/redact/redact.ts';
import { github } from '../../src/providers/github/index.ts';
import { gitlab } from '../../src/providers/gitlab/index.ts';
import { slack } from '../../src/providers/slack/index.ts';
import type { Provider } from '../../src/types.ts';
import { bytes, counter, request, secretsOf } from './support.ts';

/** The providers' own libraries say the same of our signatures as we do, and we of theirs. */
const now = new Date();
const nextNumber = counter();

function signedSamples(provider: Provider, key: string) {
  return provider.samples.map((sample) => {
    const payload = sample.build({ text: 'é @agent analyze \u2028 "x"', now, nextNumber });
    const context = { type: sample.type, secret: secret(key), deliveryId: `msg-${nextNumber()}`, now };
    return { type: sample.type, ...provider.sign(bytes(JSON.stringify(payload)), context) };
  });
}

describe('@octokit/webhooks-methods', () => {
  it.each(signedSamples(github, 'key'))('accepts our $type', async ({ body, headers }) => {
    const text = Buffer.from(body).toString('utf8');
    expect(await verify('key', text, headers['x-hub-signature-256'] ?? '')).toBe(true);
    expect(await verify('other', text, headers['x-hub-signature-256'] ?? '')).toBe(false);
  });

  it('signs what we accept', async () => {
    const text = '{"action":"é"}';
    const headers = { 'x-hub-signature-256': await sign('key', text) };
    expect(github.verify(request(bytes(text), headers), secretsOf('key'), now.getTime()).ok).toBe(true);
    expect(github.verify(request(bytes(`${text} `), headers), secretsOf('key'), now.getTime()).ok).toBe(
      false,
    );
  });
});

describe('@slack/bolt', () => {
  it.each(signedSamples(slack, 'key'))('accepts our $type', ({ body, headers }) => {
    const options = {
      signingSecret: 'key',
      body: Buffer.from(body).toString('utf8'),
      headers: {
        'x-slack-signature': headers['x-slack-signature'] ?? '',
        'x-slack-request-timestamp': Number(headers['x-slack-request-timestamp']),
      },
    };
    expect(bolt.isValidSlackRequest(options)).toBe(true);
    expect(bolt.isValidSlackRequest({ ...options, signingSecret: 'other' })).toBe(false);
  });
});

describe('standardwebhooks', () => {
  const key = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

  it.each(signedSamples(gitlab, key))('accepts our GitLab $type', ({ body, headers }) => {
    const text = Buffer.from(body).toString('utf8');
    expect(new StandardWebhook(key).verify(text, headers)).toEqual(JSON.parse(text));
    expect(() => new StandardWebhook(key).verify(`${text} `, headers)).toThrow('No matching signature');
  });

  it('signs what we accept', () => {
    const text = '{"object_kind":"note"}';
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': new StandardWebhook(key).sign('msg_1', now, text),
    };
    expect(gitlab.verify(request(bytes(text), headers), secretsOf(key), now.getTime()).ok).toBe(true);
    expect(gitlab.verify(request(bytes(`${text} `), headers), secretsOf(key), now.getTime()).ok).toBe(false);
  });
});
