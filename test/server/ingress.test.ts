import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { SECRET } from '../support/secret.ts';
import { readStore, type Server, serverForFile } from '../support/server.ts';
import { raw, request } from './raw.ts';

const MB = 1024 * 1024;
const CONFIG = `
webhooks:
  github: { enabled: true }
static: ./webhooks/*.ts
`;
const OFF = `
import { defineWebhook } from 'hookctl';
export default defineWebhook({ name: 'off', provider: 'github', enabled: false, commands: [] });
`;

let sandbox: Sandbox;
let server: Server;
let host: string;
beforeAll(async () => {
  sandbox = await sandboxForFile({ files: { 'webhooks.yml': CONFIG, 'webhooks/off.ts': OFF } });
  server = await serverForFile(sandbox);
  host = `Host: 127.0.0.1:${server.port}`;
});

const post = (path: string, headers: readonly string[], body = '') =>
  raw(
    server.port,
    request('POST', path, [host, `Content-Length: ${Buffer.byteLength(body)}`, ...headers]) + body,
  );

describe('what is refused before anything is read', () => {
  test('headers over 8 KiB: 431', async () => {
    expect((await post('/webhooks/github', [`X-Long: ${'a'.repeat(8 * 1024)}`])).status).toBe(431);
    expect((await post('/webhooks/github', [`X-Long: ${'a'.repeat(6 * 1024)}`])).status).toBe(401);
  });

  test('another method: 405, and which one is right', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']) {
      const { status, head } = await raw(server.port, request(method, '/webhooks/github', [host]));
      expect([method, status]).toEqual([method, 405]);
      expect(head).toMatch(/^allow: POST$/im);
    }
  });

  test('an unknown path: 404; a disabled webhook: 403', async () => {
    expect((await post('/webhooks/nobody', [])).status).toBe(404);
    expect((await post('/', [])).status).toBe(404);
    expect((await post('/webhooks/off', [])).status).toBe(403);
  });

  test('what comes to a disabled webhook is not looked at, but told and listed', async () => {
    const { status, body } = await post('/webhooks/off', ['X-GitHub-Delivery: late-1'], '{"a":1}');
    expect([status, body]).toEqual([403, '{"error":"webhook_disabled"}']);
    const rejected = readStore(server.sandbox, (reader) => reader.deliveries({ status: 'rejected' }));
    const stored = rejected.find(({ senderDeliveryId }) => senderDeliveryId === 'late-1');
    expect(stored).toMatchObject({ webhook: 'off', reason: 'the webhook is disabled', size: 0 });
    const told = () => server.lines().find(({ id }) => id === stored?.id);
    expect(await eventually('its line', told)).toMatchObject({ type: 'delivery', status: 'rejected' });
  });

  test.each(['gzip', 'br', 'deflate', 'gzip, identity', 'x-unknown'])(
    'content encoding %s: 415',
    async (encoding) => {
      const body = gzipSync(JSON.stringify(comment('@agent analyze'))).toString('latin1');
      expect((await post('/webhooks/github', [`Content-Encoding: ${encoding}`], body)).status).toBe(415);
    },
  );

  test('two Host headers, or none: 400', async () => {
    for (const hosts of [[host, 'Host: evil.test'], ['Host: evil.test', host], [host, host], []]) {
      const { status } = await raw(
        server.port,
        request('POST', '/webhooks/github', [...hosts, 'Content-Length: 0']),
      );
      expect([hosts, status]).toEqual([hosts, 400]);
    }
  });
});

describe('a body over the limit: 413', () => {
  test('by what it says of itself, before a byte of it is sent', async () => {
    const head = request('POST', '/webhooks/github', [host, `Content-Length: ${25 * MB + 1}`]);
    expect((await raw(server.port, head)).status).toBe(413);
  });

  test('without a length, while it streams', async () => {
    let sentMb = 0;
    const stream = new ReadableStream({
      pull: (controller) => (sentMb++ < 40 ? controller.enqueue(new Uint8Array(MB)) : controller.close()),
    });
    const sent = fetch(`${server.url}/webhooks/github`, {
      method: 'POST',
      body: stream,
      duplex: 'half',
    } as RequestInit);
    // The server hangs up on a sender that goes on: the answer or the hang-up is what it sees.
    const status = await sent.then((answer) => answer.status).catch(() => 413);
    expect(status).toBe(413);
    expect((await signedPost(server.url, comment('hello'))).status).toBe(202);
  });

  test('a body of exactly the limit is read whole', async () => {
    const text = JSON.stringify({ ...comment('hello'), padding: '' });
    const body = text.replace('"padding":""', `"padding":"${'x'.repeat(25 * MB - text.length)}"`);
    expect(Buffer.byteLength(body)).toBe(25 * MB);
    const { status, id } = await signedPost(server.url, body);
    expect(status).toBe(202);
    expect(readStore(sandbox, (reader) => reader.body(id)?.byteLength)).toBe(25 * MB);
  });

  test('unfinished large bodies that hold each other up: 503, and room again when they are gone', async () => {
    const head = request('POST', '/webhooks/github', [host, `Content-Length: ${25 * MB}`]);
    const answers: string[] = [];
    const sockets = Array.from({ length: 3 }, () => {
      const socket = connect({ port: server.port, host: '127.0.0.1' });
      socket.on('data', (data) => answers.push(data.toString())).on('error', () => undefined);
      socket.write(head);
      socket.write(Buffer.alloc(24 * MB));
      return socket;
    });
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    const refused = await eventually('a 503', () =>
      answers.find((answer) => answer.startsWith('HTTP/1.1 503')),
    );
    expect(refused).toMatch(/retry-after: \d/i);
    for (const socket of sockets) socket.destroy();
    await eventually('room', async () => (await signedPost(server.url, comment('hello'))).status === 202);
  });
});

describe('slow senders are cut off', () => {
  test.concurrent.each([
    ['headers that never end', 'POST /webhooks/github HTTP/1.1\r\nHost: x\r\n'],
    ['a body that never ends', 'POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc'],
  ])('%s', async (_, begun) => {
    const { status } = await raw(server.port, begun, 25_000);
    expect(status).toBe(408);
  });
});

describe('another spelling of a webhook’s path leads to none', () => {
  const targets = [
    '/webhooks/github/',
    '/webhooks/GITHUB',
    '//webhooks/github',
    '/webhooks//github',
    '/webhooks/%67ithub',
    '/webhooks/../webhooks/github',
    '/./webhooks/github',
    '/webhooks/github;a',
    '/webhooks/github%00',
  ];

  test.each(targets)('%j', async (target) => {
    const body = JSON.stringify(comment('@agent analyze'));
    const signature = createHmac('sha256', SECRET).update(body).digest('hex');
    const headers = [host, 'X-GitHub-Event: issue_comment', `X-Hub-Signature-256: sha256=${signature}`];
    for (const method of ['GET', 'POST']) {
      const sent = request(method, target, [...headers, `Content-Length: ${body.length}`]) + body;
      const { status } = await raw(server.port, sent);
      expect([method, status < 200 || status > 299]).toEqual([method, true]);
    }
  });

  test('CONNECT, and an upgrade', async () => {
    expect(
      (await raw(server.port, request('CONNECT', `127.0.0.1:${server.managementPort}`, [host]))).status,
    ).not.toBe(200);
    const upgrade = [host, 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    expect((await raw(server.port, request('GET', '/webhooks/github', upgrade))).status).toBe(405);
  });

  test('management is not on this socket, not even with the token', async () => {
    expect((await fetch(`${server.url}/api/status`)).status).toBe(404);
    expect(server.port).not.toBe(server.managementPort);
  });
});

test('/healthz answers, and says nothing else', async () => {
  const answer = await fetch(`${server.url}/healthz`);
  expect([answer.status, await answer.text()]).toEqual([200, '{"status":"ok"}']);
  expect((await fetch(`${server.url}/healthz`, { method: 'POST' })).status).toBe(405);
});
