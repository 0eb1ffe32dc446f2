import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Told, tell } from '../support/in-process.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { readStore, type Server, serverForFile, tokenOf } from '../support/server.ts';

/*
 * Handshakes as their senders' documentation has them: none is answered outside the moment in which a person awaits it, unless it
 * is signed.
 */

const SECRET = 'a-secret-of-the-test-0123456789';
const sign = (text: string) => createHmac('sha256', SECRET).update(text).digest('hex');
const HMAC = ['header=x-signature', 'prefix=sha256='];

let sandbox: Sandbox;
let server: Server;
beforeAll(async () => {
  sandbox = await sandboxForFile({ env: { SENDER_SECRET: SECRET } });
  server = await serverForFile(sandbox);
});

async function add(name: string, ...options: readonly string[]): Promise<void> {
  const given = options.flatMap((option) => ['--option', option]);
  const told = await tell(
    sandbox,
    'webhook',
    'add',
    'generic',
    '--name',
    name,
    '--secret-env',
    'SENDER_SECRET',
    ...given,
  );
  expect(told.stderr).not.toContain('error');
  expect(told.code).toBe(0);
}

interface Asked {
  readonly method: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Said {
  readonly status: number;
  readonly body: string;
  readonly headers: Headers;
}

async function ask(name: string, { method, query = '', headers = {}, body }: Asked): Promise<Said> {
  const init = { method, headers, ...(body !== undefined && { body }) };
  const answer = await fetch(`${server.url}${await endpointOf(name)}${query}`, init);
  return { status: answer.status, body: await answer.text(), headers: answer.headers };
}

const endpoints = new Map<string, string>();
async function endpointOf(name: string): Promise<string> {
  const known = endpoints.get(name);
  if (known !== undefined) return known;
  const shown = JSON.parse((await tell(sandbox, 'webhook', 'show', name, '--json')).stdout) as {
    url: string;
  };
  const { pathname } = new URL(shown.url);
  endpoints.set(name, pathname);
  return pathname;
}

/** Awaits the handshake and asks until it is answered. */
async function awaited(name: string, asked: Asked): Promise<{ readonly said: Said; readonly told: Told }> {
  const waiting = tell(sandbox, 'webhook', 'await', name, '--for', '20s');
  const said = await eventually(`the answer to ${name}`, async () => {
    const answer = await ask(name, asked);
    return answer.status < 300 ? answer : null;
  });
  return { said, told: await waiting };
}

const json = (value: object) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

interface Case {
  readonly name: string;
  readonly asked: Asked;
  /** The body of the answer. */
  readonly answer: string | object;
  readonly headers?: Readonly<Record<string, string>>;
}

const SENDERS: readonly Case[] = [
  {
    name: 'meta',
    asked: {
      method: 'GET',
      query: '?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock',
    },
    answer: '1158201444',
  },
  {
    name: 'strava',
    asked: {
      method: 'GET',
      query: '?hub.verify_token=STRAVA&hub.challenge=15f7d1a91c1f40f8&hub.mode=subscribe',
    },
    answer: { 'hub.challenge': '15f7d1a91c1f40f8' },
  },
  {
    name: 'websub',
    asked: {
      method: 'GET',
      query:
        '?hub.mode=subscribe&hub.topic=https%3A%2F%2Fblog.example%2Ffeed&hub.challenge=abc&hub.lease_seconds=864000',
    },
    answer: 'abc',
  },
  { name: 'dropbox', asked: { method: 'GET', query: '?challenge=8Ud3rHpbZN' }, answer: '8Ud3rHpbZN' },
  {
    name: 'okta',
    asked: { method: 'GET', headers: { 'x-okta-verification-challenge': 'b1c6a3c1' } },
    answer: { verification: 'b1c6a3c1' },
  },
  { name: 'trello', asked: { method: 'HEAD' }, answer: '' },
  {
    name: 'asana',
    asked: { method: 'POST', headers: { 'x-hook-secret': 'b537207f20cbfa02357cf448134da559' }, body: '' },
    answer: '',
    headers: { 'x-hook-secret': 'b537207f20cbfa02357cf448134da559' },
  },
  {
    name: 'notion',
    asked: {
      method: 'POST',
      ...json({ verification_token: 'secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl' }),
    },
    answer: '',
  },
  {
    name: 'slack',
    asked: {
      method: 'POST',
      ...json({ token: 'Jhj5dZrVaK7ZwHHjRyZWjbDl', challenge: '3eZbrw1aBm2r', type: 'url_verification' }),
    },
    answer: { challenge: '3eZbrw1aBm2r' },
  },
  {
    name: 'monday',
    asked: { method: 'POST', ...json({ challenge: '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P' }) },
    answer: { challenge: '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P' },
  },
  {
    name: 'cloudevents',
    asked: {
      method: 'OPTIONS',
      headers: { 'webhook-request-origin': 'eventemitter.example.com', 'webhook-request-rate': '120' },
    },
    answer: '',
    headers: { 'webhook-allowed-origin': 'eventemitter.example.com', 'webhook-allowed-rate': '*' },
  },
  {
    name: 'event-grid',
    asked: {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'aeg-event-type': 'SubscriptionValidation' },
      body: JSON.stringify([
        {
          id: '2d1781af-3a4c-4d7c-bd0c-e34b19da4e66',
          eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
          data: { validationCode: '512d38b6-c7b8-40c8-89fe-f46f9e9622b6' },
        },
      ]),
    },
    answer: { validationResponse: '512d38b6-c7b8-40c8-89fe-f46f9e9622b6' },
  },
  {
    name: 'graph',
    asked: { method: 'POST', query: '?validationToken=Validation%3A%20Testing%20client', body: '' },
    answer: 'Validation: Testing client',
  },
  {
    name: 'smartsheet',
    asked: {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'smartsheet-hook-challenge': '0f2e3f68' },
      body: '{"challenge":"0f2e3f68","webhookId":1}',
    },
    answer: { smartsheetHookResponse: '0f2e3f68' },
    headers: { 'smartsheet-hook-response': '0f2e3f68' },
  },
];

describe.each(SENDERS)('$name', ({ name: form, asked, answer, headers = {} }) => {
  const name = `ask-${form}`;

  test('unexpected: refused with a row that says what to type, nothing is repeated or learned', async () => {
    await add(name, `handshake=${form}`, ...HMAC);
    const { status, body, headers: sent } = await ask(name, asked);
    expect(status).toBe(asked.method === 'POST' ? 401 : 405);
    expect(body).toBe(
      asked.method === 'POST' ? '{}' : asked.method === 'HEAD' ? '' : '{"error":"method_not_allowed"}',
    );
    for (const header of Object.keys(headers)) expect(sent.get(header)).toBeNull();
    const row = await eventually('its row', () =>
      readStore(sandbox, (reader) => reader.deliveries({ webhook: name })).find(
        ({ status: is }) => is === 'rejected',
      ),
    );
    expect(row.reason).toContain(`an unsigned handshake (${form}) that no one awaits`);
    expect(row.reason).toContain(`hookctl webhook await ${name}`);
    expect((await tell(sandbox, 'webhook', 'show', name, '--show-secret')).stdout.trim()).toBe(SECRET);
  });

  test('awaited: answered once as the sender wants it, then refused again', async () => {
    const { said, told } = await awaited(name, asked);
    expect(said.body).toBe(typeof answer === 'string' ? answer : JSON.stringify(answer));
    for (const [header, value] of Object.entries(headers)) expect(said.headers.get(header)).toBe(value);
    expect(said.headers.get('x-content-type-options')).toBe('nosniff');
    expect(told).toMatchObject({ code: 0 });
    expect(told.stdout).toContain(`Answered the handshake ${form} (${asked.method})`);
    expect((await ask(name, asked)).status).toBeGreaterThanOrEqual(400);
    expect(
      readStore(sandbox, (reader) => reader.deliveries({ webhook: name })).map(({ status }) => status),
    ).not.toContain('pending');
  });
});

test('asana: the secret of the awaited handshake signs from then on, and stays out of every output', async () => {
  const secret = 'b537207f20cbfa02357cf448134da559';
  const body = '{"events":[]}';
  const signed = (key: string) => ({
    'content-type': 'application/json',
    'x-signature': `sha256=${createHmac('sha256', key).update(body).digest('hex')}`,
  });
  expect((await ask('ask-asana', { method: 'POST', headers: signed(secret), body })).status).toBe(202);
  expect((await ask('ask-asana', { method: 'POST', headers: signed(SECRET), body })).status).toBe(401);
  expect(server.running.stdout() + server.running.stderr()).not.toContain(secret);
  const audit = await tell(sandbox, 'audit', 'list', '--limit', '200', '--json');
  expect(audit.stdout).toContain('webhook.await');
  expect(audit.stdout).toContain('"target": "ask-asana"');
  expect(audit.stdout).not.toContain(secret);
});

test('a webhook that is never asked is refused, and no one is told to save it at the sender', async () => {
  const { code, stderr } = await tell(sandbox, 'webhook', 'await', 'github', '--for', '20s');
  expect([code, stderr]).toEqual([1, expect.stringContaining('github has no handshake to answer')]);
  expect(stderr).not.toContain('Waiting');
});

describe('a signed handshake', () => {
  const twitch = {
    method: 'POST',
    headers: { 'twitch-eventsub-message-type': 'webhook_callback_verification' },
    body: JSON.stringify({ challenge: 'pogchamp-kappa-360noscope-vohiyo', subscription: { id: 'f1c2a387' } }),
  };
  const plain = JSON.stringify({
    event: 'endpoint.url_validation',
    payload: { plainToken: 'qgg8vlvZRS6UYooatFL8Aw' },
  });

  test('is answered without a person: Twitch, Zoom with its HMAC', async () => {
    await add('twitch', 'handshake=twitch', ...HMAC);
    await add('zoom', 'handshake=zoom', ...HMAC);
    const signed = (body: string) => ({ 'x-signature': `sha256=${sign(body)}` });
    const said = await ask('twitch', { ...twitch, headers: { ...twitch.headers, ...signed(twitch.body) } });
    expect([said.status, said.body]).toEqual([200, 'pogchamp-kappa-360noscope-vohiyo']);
    const zoom = await ask('zoom', { method: 'POST', headers: signed(plain), body: plain });
    expect(JSON.parse(zoom.body)).toEqual({
      plainToken: 'qgg8vlvZRS6UYooatFL8Aw',
      encryptedToken: sign('qgg8vlvZRS6UYooatFL8Aw'),
    });
    await eventually('the line of serve', () => server.running.stdout().includes('"handshake":"zoom"'));
  });

  test('unsigned, one whose answer is a signature is refused even while it is awaited', async () => {
    const asked = { method: 'POST', body: plain };
    const waiting = tell(sandbox, 'webhook', 'await', 'zoom', '--for', '2s');
    const statuses = new Set<number>();
    let isOver = false;
    void waiting.finally(() => {
      isOver = true;
    });
    while (!isOver) statuses.add((await ask('zoom', asked)).status);
    const told = await waiting;
    expect([...statuses]).toEqual([401]);
    expect(told).toMatchObject({ code: 1 });
    expect(told.stderr).toContain('no handshake came to zoom within 2.0 s');
  });

  test('never brings a secret: Asana’s header in a signed request is refused', async () => {
    await add('asana-2', 'handshake=asana', ...HMAC);
    const headers = {
      'x-hook-secret': 'c537207f20cbfa02357cf448134da559',
      'x-signature': `sha256=${sign('{}')}`,
    };
    expect((await ask('asana-2', { method: 'POST', headers, body: '{}' })).status).toBe(401);
    expect((await tell(sandbox, 'webhook', 'show', 'asana-2', '--show-secret')).stdout.trim()).toBe(SECRET);
  });
});

describe('what is told', () => {
  test('a webhook without a handshake, an unknown webhook, a name that is none', async () => {
    await add('plain', ...HMAC);
    const none = await tell(sandbox, 'webhook', 'await', 'plain');
    expect(none).toMatchObject({ code: 1 });
    expect(none.stderr).toContain('--option handshake=');
    expect(await tell(sandbox, 'webhook', 'await', 'nothing')).toMatchObject({ code: 4 });
    const wrong = await tell(sandbox, 'webhook', 'edit', 'plain', '--option', 'handshake=metta');
    expect(wrong).toMatchObject({ code: 3 });
    expect(wrong.stderr).toContain('meta');
  });

  test('a challenge that a header could not carry, or of 5,000 characters, is no handshake', async () => {
    for (const challenge of ['a%0d%0aset-cookie:%20x', 'x'.repeat(5_000)]) {
      const waiting = tell(sandbox, 'webhook', 'await', 'ask-dropbox', '--for', '1s');
      const { status } = await ask('ask-dropbox', { method: 'GET', query: `?challenge=${challenge}` });
      expect(status).toBe(405);
      expect(await waiting).toMatchObject({ code: 1 });
    }
  });

  const wait = (timeoutMs: number, signal?: AbortSignal) =>
    fetch(`${server.managementUrl}/api/webhooks/ask-dropbox/await`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokenOf(sandbox)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ timeout_ms: timeoutMs }),
      ...(signal !== undefined && { signal }),
    });

  /** Awaits ask-dropbox until `end` fires. Asks again where the probe for it arrived first. */
  async function hold(end: AbortSignal): Promise<{ over: Promise<Response | string> }> {
    return eventually('that it is awaited', async () => {
      let refused = false;
      const over = wait(3_600_000, end).then(
        (answer) => {
          refused = answer.status === 409;
          return answer;
        },
        (error: Error) => error.name,
      );
      while (!refused) if ((await wait(1)).status === 409 && !refused) return { over };
      return null;
    });
  }

  test('a second person who awaits the same webhook is told', async () => {
    const end = new AbortController();
    const { over } = await hold(end.signal);
    const second = await tell(sandbox, 'webhook', 'await', 'ask-dropbox', '--for', '1s');
    expect(second).toMatchObject({ code: 1 });
    expect(second.stderr).toContain('is awaited already');
    end.abort();
    await over;
  });

  test('the moment of awaiting ends with the command: what comes after Ctrl-C is refused', async () => {
    const end = new AbortController();
    const { over } = await hold(end.signal);
    end.abort();
    expect(await over).toBe('AbortError');
    await eventually('that it is awaited no longer', async () => (await wait(1)).status === 200);
    expect((await ask('ask-dropbox', { method: 'GET', query: '?challenge=late' })).status).toBe(405);
  });
});
