import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { secret } from '../../src/lib/redact/redact.ts';
import { slack } from '../../src/providers/slack/index.ts';
import type { DeliveryView } from '../../src/views.ts';
import { cliJson } from '../support/cli.ts';
import { providers } from '../support/providers.ts';
import { readStore, settled } from '../support/server.ts';
import { serverOfSuite } from '../support/suite.ts';

const suite = serverOfSuite();
const samples = providers
  .filter(({ webhook }) => webhook !== null)
  .flatMap(({ name, samples: own }) => own.map(({ type }) => ({ provider: name, type })));

interface Triggered {
  readonly delivery: DeliveryView;
}

/** Forms of a qualified id: `github:owner/repo#42`, `jira:PROJ-1`, `slack:T1:C1:17.1`, `sentry:42`, `gitlab:a/b!1`. */
const EXTERNAL_ID: Readonly<Record<string, RegExp>> = {
  github: /^github:[^\s#@]+[#@]\S+$/,
  gitlab: /^gitlab:[^\s#!@]+[#!@]\S+$/,
  jira: /^jira:\S+$/,
  slack: /^slack:T\w+:\w+(?::[\d.]+)?$/,
  sentry: /^sentry:\S+$/,
};

describe('hookctl trigger', () => {
  test.each(samples)(
    'sends a $provider $type that is accepted and understood',
    async ({ provider, type }) => {
      const { delivery } = await cliJson<Triggered>(suite().sandbox, 'trigger', provider, type);
      expect(delivery).toMatchObject({ provider, event_type: type, trust: 'verified' });
      expect(['processed', 'ignored']).toContain(delivery.status);
      if (delivery.external_id !== null) expect(delivery.external_id).toMatch(EXTERNAL_ID[provider] ?? /^$/);
    },
  );
});

describe('Slack over HTTP', () => {
  const nextNumber = (() => {
    let number = 1_000;
    return () => ++number;
  })();

  async function post(type: string, text = '@agent analyze why') {
    const { server, sandbox } = suite();
    const key = await cliSecret();
    const now = new Date();
    const sample = slack.samples.find((each) => each.type === type)?.build({ text, now, nextNumber });
    const body = Buffer.from(JSON.stringify(sample));
    const request = slack.sign(body, { type, secret: secret(key), deliveryId: randomUUID(), now });
    const response = await fetch(`${server.url}/webhooks/slack`, { ...request, method: 'POST' });
    const id = response.headers.get('x-hookctl-delivery') ?? '';
    return { status: response.status, text: await response.text(), sample, id, sandbox };
  }

  async function cliSecret(): Promise<string> {
    const { readFile } = await import('node:fs/promises');
    return (await readFile(`${suite().sandbox.dataFolder}/secrets/slack`, 'utf8')).trim();
  }

  test('the challenge is answered with itself', async () => {
    const { status, text, sample } = await post('url_verification');
    expect(status).toBe(200);
    expect(text).toContain(String(sample?.challenge));
  });

  test.each(['slash_command', 'app_mention'])('a %s gets an empty 200 and becomes a task', async (type) => {
    const { status, text, id, sandbox } = await post(type);
    expect([status, text]).toEqual([200, '']);
    expect((await settled(sandbox, id)).status).toBe('processed');
    expect(readStore(sandbox, (reader) => reader.tasks({ deliveryId: id }))).toHaveLength(1);
  });

  test('a button gets an empty 200 and starts nothing', async () => {
    const { status, text, id, sandbox } = await post('block_actions');
    expect([status, text]).toEqual([200, '']);
    expect((await settled(sandbox, id)).status).toBe('ignored');
  });

  test('ssl_check is answered unsigned, and nothing is stored', async () => {
    const before = readStore(suite().sandbox, (reader) => reader.deliveries({ limit: 200 }).length);
    const response = await fetch(`${suite().server.url}/webhooks/slack`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'ssl_check=1&token=x',
    });
    expect(response.status).toBe(200);
    expect(readStore(suite().sandbox, (reader) => reader.deliveries({ limit: 200 }).length)).toBe(before);
  });
});
