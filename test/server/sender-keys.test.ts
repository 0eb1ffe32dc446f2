import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openDoor, workedOff } from '../support/door.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { startServe } from '../support/server.ts';

const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const JWKS = JSON.stringify({
  keys: [{ ...RSA.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256' }],
});

/** A host of keys that answers when the test says so. */
async function keyHost() {
  const open: ServerResponse[] = [];
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url ?? '');
    open.push(response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const asked = (count: number) => eventually(`${count} fetches of keys`, () => seen.length >= count || null);
  const answer = (status: number, body: string) => {
    for (const response of open.splice(0)) response.writeHead(status).end(body);
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, asked, answer, open };
}

function engineWith(options: object, secret = 'a-secret'): Promise<TestEngine> {
  const webhook = {
    ...{
      webhook_id: 'wh-inbox',
      name: 'inbox',
      provider: 'generic',
      endpoint: '/webhooks/generic/wh-inbox',
      secret,
      options,
    },
    commands: [{ id: 'cmd-look', trigger: '*', template: 'Look at it' }],
    ...{ created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' },
  };
  return startEngine({ db: JSON.stringify({ schema_version: 1, webhooks: [webhook] }) });
}

function tokenFor(audience: string, kid = 'k1'): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const data = `${part({ alg: 'RS256', kid })}.${part({ aud: audience, exp: Math.floor(Date.now() / 1000) + 60 })}`;
  return `${data}.${sign('sha256', Buffer.from(data), RSA.privateKey).toString('base64url')}`;
}

function post(
  url: string,
  {
    headers = {},
    body = '{"a":1}',
    query = '',
  }: { headers?: Record<string, string>; body?: string; query?: string },
) {
  return fetch(`${url}/webhooks/generic/wh-inbox${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
}

test('keys: a request whose key is not there is answered 503 at once, and accepted once it has come; one fetch for all', async () => {
  const host = await keyHost();
  const engine = await engineWith({ scheme: 'jwt', keys: `${host.url}/jwks.json`, audience: 'me' });
  const url = await openDoor(engine);
  const headers = { authorization: `Bearer ${tokenFor('me')}` };
  // The host has not answered, and no request waits for it.
  const early = await Promise.all([1, 2, 3].map(() => post(url, { headers })));
  expect(early.map(({ status }) => status)).toEqual([503, 503, 503]);
  expect(early.map((answer) => answer.headers.get('retry-after'))).toEqual(['5', '5', '5']);
  await host.asked(1);
  host.answer(200, JWKS);
  const accepted = await eventually('the key', async () => {
    const answer = await post(url, { headers });
    return answer.status === 202 ? answer : null;
  });
  expect(accepted.status).toBe(202);
  expect(host.seen).toEqual(['/jwks.json']);
  expect((await post(url, { headers: { authorization: `Bearer ${tokenFor('another')}` } })).status).toBe(401);
  // A key that the document has not, just after it came, is no reason to fetch it again.
  expect((await post(url, { headers: { authorization: `Bearer ${tokenFor('me', 'k2')}` } })).status).toBe(
    401,
  );
  expect(host.seen).toEqual(['/jwks.json']);
});

test('keys: prepare fetches them before the first request, so that it is accepted', async () => {
  const host = await keyHost();
  const engine = await engineWith({ scheme: 'jwt', keys: `${host.url}/ahead.json`, audience: 'me' });
  const { webhooks } = engine.context.snapshot();
  await Promise.all(webhooks.map(({ provider }) => provider.prepare?.(join(tmpdir(), 'no-keys.json'))));
  await host.asked(1);
  host.answer(200, JWKS);
  const url = await openDoor(engine);
  await eventually('the key', async () => {
    const answer = await post(url, { headers: { authorization: `Bearer ${tokenFor('me')}` } });
    return answer.status === 202 || null;
  });
  expect(host.seen).toEqual(['/ahead.json']);
});

test('keys: after a restart those of the last run verify at once, and only one that is too old is fetched, ahead', async () => {
  const host = await keyHost();
  const sandbox = await sandboxForTest({ env: { INBOX_SECRET: 'mine' } });
  const webhook = {
    ...{
      name: 'inbox',
      provider: 'generic',
      endpoint: '/webhooks/generic/wh-inbox',
      secretEnv: 'INBOX_SECRET',
    },
    options: {
      ...{ scheme: 'rsa', header: 'x-signature', signedContent: '{secret}{body}' },
      ...{ keys: 'header:x-cert-url', keyHosts: new URL(host.url).host },
    },
    commands: [{ trigger: '*', template: 'Look at it' }],
  };
  await sandbox.write('webhooks.yml', '');
  await sandbox.write(
    'webhooks/inbox.ts',
    `import { defineWebhook } from 'hookctl';\nexport default defineWebhook(${JSON.stringify(webhook)});\n`,
  );
  const pem = RSA.publicKey.export({ format: 'pem', type: 'spki' }) as string;
  const signature = (body: string) =>
    sign('sha256', Buffer.from(`mine${body}`), RSA.privateKey).toString('base64');
  const send = (url: string, body: string) =>
    post(url, { body, headers: { 'x-cert-url': `${host.url}/key.pem`, 'x-signature': signature(body) } });

  const first = await startServe(sandbox);
  expect((await send(first.url, '{"a":1}')).status).toBe(503);
  await host.asked(1);
  host.answer(200, pem);
  await eventually('the key', async () => (await send(first.url, '{"a":2}')).status === 202 || null);
  await first.stop();

  const second = await startServe(sandbox);
  expect((await send(second.url, '{"a":3}')).status).toBe(202);
  await second.stop();
  expect(host.seen).toEqual(['/key.pem']);

  // Over a day old it counts no more, and is asked for before a request names it.
  const file = join(sandbox.dataFolder, 'sender-keys.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const kept = readFileSync(file, 'utf8');
  const old = new Date(Date.now() - 90_000_000).toISOString();
  writeFileSync(file, kept.replace(/(?<="fetched_at": ")[^"]+/, old));
  const third = await startServe(sandbox);
  await host.asked(2);
  expect((await send(third.url, '{"a":4}')).status).toBe(503);
  host.answer(200, pem);
  await eventually('the fresh key', async () => (await send(third.url, '{"a":5}')).status === 202 || null);
  await third.stop();

  writeFileSync(file, '{"half');
  const fourth = await startServe(sandbox);
  expect((await send(fourth.url, '{"a":6}')).status).toBe(503);
  await fourth.stop();
});

test('keys: documents are fetched one at a time, and few wait', async () => {
  const host = await keyHost();
  const engine = await engineWith({ scheme: 'jwt', keys: `${host.url}/{kid}.pem`, audience: 'me' });
  const url = await openDoor(engine);
  for (let kid = 0; kid < 20; kid += 1) {
    const answer = await post(url, { headers: { authorization: `Bearer ${tokenFor('me', `kid-${kid}`)}` } });
    expect(answer.status).toBe(503);
  }
  await host.asked(1);
  for (let count = 1; count <= 8; count += 1) {
    await host.asked(count);
    expect(host.open).toHaveLength(1);
    host.answer(404, '');
  }
  // Those that did not wait are asked for when a request names them again: the next fetch is that of a new request.
  await eventually('the fetch of a later key', async () => {
    await post(url, { headers: { authorization: `Bearer ${tokenFor('me', 'late')}` } });
    return host.seen.length > 8 || null;
  });
  expect(host.seen[8]).toBe('/late.pem');
  host.answer(404, '');
});

test('keys: a certificate of another host is never asked for', async () => {
  const host = await keyHost();
  const other = await keyHost();
  const engine = await engineWith({
    ...{
      scheme: 'rsa',
      keys: 'header:x-cert-url',
      keyHosts: new URL(host.url).host,
      signedContent: '{secret}{body}',
    },
    header: 'x-signature',
  });
  const url = await openDoor(engine);
  const named = (address: string) => post(url, { headers: { 'x-cert-url': address, 'x-signature': 'QUJD' } });
  const wrong = [
    `${other.url}/a.pem`,
    `${host.url}/a.pem?x=1`,
    `http://u:p@${new URL(host.url).host}/a.pem`,
    'file:///etc/passwd',
    '-',
  ];
  for (const address of wrong) expect((await named(address)).status, address).toBe(401);
  expect((await named(`${host.url}/a.pem`)).status).toBe(503);
  await host.asked(1);
  host.answer(404, '');
  expect(other.seen).toEqual([]);
});

test('a token of the query string is stored as a digest, and one in the body not at all', async () => {
  const engine = await engineWith({ scheme: 'token', signature: 'query:token' }, 'open-sesame');
  const url = await openDoor(engine);
  expect((await post(url, { query: '?token=wrong' })).status).toBe(401);
  expect((await post(url, { query: '?token=open-sesame&token=wrong' })).status).toBe(401);
  const answer = await post(url, { query: '?env=prod&token=open-sesame' });
  const delivery = await workedOff(engine, answer.headers.get('x-hookctl-delivery') ?? '');
  expect(delivery.query).toMatch(/^env=prod&token=sha256%3A[0-9a-f]{12}$/);

  const figma = await engineWith({ scheme: 'token', signature: 'passcode' }, 'open-sesame');
  const body = JSON.stringify({ event_type: 'FILE_UPDATE', passcode: 'open-sesame' });
  const kept = await post(await openDoor(figma), { body });
  const { id } = await workedOff(figma, kept.headers.get('x-hookctl-delivery') ?? '');
  const bytes = figma.context.store.body(id);
  expect(Buffer.from(bytes ?? []).toString()).toBe('{"event_type":"FILE_UPDATE","passcode":"[redacted]"}');
});

test('{url} is the URL under which senders reach the webhook, with the query string of the request', async () => {
  const engine = await engineWith({
    header: 'x-signature',
    signedContent: '{url}{body}',
    publicUrl: 'https://hooks.example.com/in',
  });
  const url = await openDoor(engine);
  const signed = (address: string) =>
    createHmac('sha256', 'a-secret').update(`${address}{"a":1}`).digest('hex');
  const right = { 'x-signature': signed('https://hooks.example.com/in?b=2') };
  expect((await post(url, { headers: right, query: '?b=2' })).status).toBe(202);
  expect((await post(url, { headers: right, query: '?b=3' })).status).toBe(401);
});
