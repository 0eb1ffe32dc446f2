import { expect, test } from 'vitest';
import { generic } from '../../src/providers/generic/index.ts';
import { guessSettings } from '../../src/providers/scheme/guess.ts';
import type { JsonObject, RawRequest } from '../../src/types.ts';
import { JSON_BODY, SECRET, TABLE } from '../senders/table.ts';
import { NOW, secretsOf } from './support.ts';

const URL_OF_ALL = 'https://hooks.example.com/webhooks/orders';

/** Senders whose keys or contents no search finds: published keys, certificates, chosen fields, texts of their own. */
const BEYOND = [
  ...[
    'Plaid',
    'Jira Connect, installed',
    'Atlassian Forge',
    'PayPal',
    'Amazon SNS',
    'Adyen payments',
    'Contentful',
  ],
  ...['HTTP Message Signatures, ECDSA', 'a client certificate behind a proxy'],
];

const found = TABLE.filter(({ name }) => !BEYOND.includes(name));

test.each(found.map((sender) => [sender.name, sender] as const))(
  'guess: the settings found for %s accept its request',
  async (_, sender) => {
    const { body = JSON_BODY, secret = SECRET, contentType = 'application/json' } = sender;
    const signed = await sender.sign({ body, secret, now: NOW.getTime(), url: URL_OF_ALL, keys: '' });
    const request: RawRequest = {
      headers: { 'content-type': contentType, ...signed.headers },
      body: Buffer.from(signed.body ?? body),
      query: signed.query ?? '',
      method: 'POST',
      publicUrl: () => URL_OF_ALL,
    };
    const [best] = await guessSettings(request, secretsOf(secret), NOW.getTime());
    expect(best).toBeDefined();
    const configured = generic.configure?.((best?.settings ?? {}) as JsonObject);
    if (configured?.ok !== true) throw new Error(JSON.stringify(configured));
    const { provider } = configured;
    const judge = provider.verifyAsync ?? (async (...given) => provider.verify(...given));
    expect(await judge(request, secretsOf(secret), NOW.getTime())).toMatchObject({ ok: true });
    expect(await guessSettings(request, secretsOf('another'), NOW.getTime())).toEqual([]);
  },
);
