import { beforeAll, describe, expect, test } from 'vitest';
import type { DeliveryView } from '../../src/views.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { providers } from '../support/providers.ts';
import { serverOfSuite } from '../support/suite.ts';

const presets = providers.filter(({ webhook, name }) => webhook === null && name !== 'generic');
const samples = presets.flatMap(({ name, samples: own }) =>
  own.map(({ type }) => ({ provider: name, type })),
);

/** Forms of a qualified id. */
const EXTERNAL_ID: Readonly<Record<string, RegExp>> = {
  gitea: /^gitea:git\.example\.com\/acme\/web[#@]\w+$/,
  bitbucket: /^bitbucket:(?:bitbucket\.example\.com\/)?acme\/web[!#@]\w+$/,
  linear: /^linear:acme\/ENG-\d+$/,
  discord: /^discord:\d+$/,
  pagerduty: /^pagerduty:P\w+$/,
  stripe: /^stripe:(?:in|du|sub)_\w+$/,
  shopify: /^shopify:acme\.myshopify\.com\/(?:order|product|shop)\/\d+$/,
  alertmanager: /^alertmanager:alertmanager\.example\.com:9093\/[0-9a-f]{16}$/,
  grafana: /^grafana:grafana\.example\.com\/[0-9a-f]{16}$/,
  registry: /^registry:registry\.example\.com:5000\/acme\/web[:@]\S+$/,
};
/** What is about nothing that a later event could be about, too. */
const WITHOUT_SUBJECT = [
  ...['contact.created', 'edited_message', 'files.changed', 'invoice.paid'],
  ...['member.added', 'pagey.ping', 'ping'],
];

/** Senders by settings: the id is qualified by the webhook's name, which is the provider's here. */
function settingsId(provider: string): RegExp {
  return new RegExp(`^${provider}:${provider}:\\S+$`);
}

const suite = serverOfSuite();
const added = new Map<string, string>();

beforeAll(async () => {
  for (const { name } of presets) {
    const { stdout, stderr, code } = await tell(suite().sandbox, 'webhook', 'add', name, '--name', name);
    if (code !== 0) throw new Error(stderr);
    added.set(name, stdout + stderr);
  }
});

describe.each(presets.map((preset) => [preset.name, preset] as const))('%s', (name, preset) => {
  test('webhook add prints the fields of its form, with the URL', () => {
    // Long lines are continued on the next one.
    const printed = (added.get(name) ?? '').replaceAll(/\s+/g, ' ');
    expect(printed).toContain(`${suite().server.url}/webhooks/`);
    for (const { label } of preset.formFields({ url: 'x', secretCommand: 'x', enterCommand: 'x' }))
      expect(printed).toContain(` ${label}: `);
  });
});

describe('hookctl trigger', () => {
  test('lists every sample', async () => {
    const listed = await tellJson<readonly object[]>(suite().sandbox, 'trigger', '--list');
    expect(listed).toEqual(expect.arrayContaining(samples));
  });

  test.each(samples)(
    'sends a $provider $type that is accepted and understood',
    async ({ provider, type }) => {
      const { delivery } = await tellJson<{ delivery: DeliveryView }>(
        suite().sandbox,
        'trigger',
        provider,
        type,
      );
      expect(delivery).toMatchObject({ provider, event_type: type, trust: 'verified', status: 'ignored' });
      if (delivery.external_id === null) expect(WITHOUT_SUBJECT).toContain(type);
      else expect(delivery.external_id).toMatch(EXTERNAL_ID[provider] ?? settingsId(provider));
    },
  );

  test('says how to make the webhook that is missing', async () => {
    const removed = await tell(suite().sandbox, 'webhook', 'remove', 'shopify');
    expect(removed.code).toBe(0);
    const { stderr, code } = await tell(suite().sandbox, 'trigger', 'shopify');
    expect([code, stderr]).toEqual([
      4,
      expect.stringContaining('hookctl webhook add shopify --name shopify'),
    ]);
  });
});

describe('over HTTP', () => {
  const post = async (name: string, headers: Readonly<Record<string, string>>, body = '{"type":1}') => {
    const webhooks = await tellJson<readonly { name: string; endpoint: string }[]>(
      suite().sandbox,
      'webhook',
      'list',
    );
    const { endpoint } = webhooks.find((each) => each.name === name) ?? { endpoint: '' };
    const response = await fetch(suite().server.url + endpoint, { method: 'POST', headers, body });
    return { status: response.status, text: await response.text() };
  };

  test.each(presets.map(({ name }) => name).filter((name) => name !== 'shopify'))(
    '%s answers 401 to what is not signed, whatever it says',
    async (name) => {
      expect(await post(name, { 'content-type': 'application/json' })).toEqual({ status: 401, text: '{}' });
    },
  );

  test('Discord’s probe with a bad signature gets its 401', async () => {
    const headers = {
      'x-signature-ed25519': '0'.repeat(128),
      'x-signature-timestamp': String(Math.floor(Date.now() / 1000)),
    };
    expect((await post('discord', headers)).status).toBe(401);
  });
});
