import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { receive } from '../../src/deliveries/receive.ts';
import { listen } from '../../src/lib/http/listen.ts';
import { createBodyReader } from '../../src/server/ingress/body.ts';
import { createIngress } from '../../src/server/ingress/ingress.ts';
import { startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { SECRET } from '../support/secret.ts';

const MB = 1024 * 1024;
const padded = (mb: number) => JSON.stringify({ ...comment('hello'), pad: 'x'.repeat(mb * MB) });

test('F15: large bodies are parsed and stored one at a time, small ones go past them', async () => {
  const { context } = await startEngine({ env: { GITHUB_WEBHOOK_SECRET: SECRET } });
  const begun: number[] = [];
  let most = 0;
  let inside = 0;
  const gate = Promise.withResolvers<void>();
  const server = createIngress({
    snapshot: context.snapshot,
    async receive(webhook, request) {
      const isLarge = request.body.byteLength > MB;
      begun.push(request.body.byteLength);
      inside += isLarge ? 1 : 0;
      most = Math.max(most, inside);
      if (isLarge) await gate.promise;
      const receipt = await receive(context, webhook, request);
      inside -= isLarge ? 1 : 0;
      return receipt;
    },
    acceptProbe: () => false,
    onError: (error) => expect(error).toBeNull(),
  });
  const url = `http://127.0.0.1:${await listen(server, { host: '127.0.0.1', port: 0 })}`;
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const large = Array.from({ length: 4 }, () => signedPost(url, padded(10)));
  await eventually('the first large one', () => begun.length === 1);
  expect((await signedPost(url, comment('hello'))).status).toBe(202);
  expect(begun).toHaveLength(2);
  gate.resolve();
  expect((await Promise.all(large)).map(({ status }) => status)).toEqual([202, 202, 202, 202]);
  expect([most, begun.length]).toEqual([1, 5]);
});

test('F15: unfinished large bodies are refused in turn; usual deliveries get in beside them', async () => {
  const { context } = await startEngine({ env: { GITHUB_WEBHOOK_SECRET: SECRET } });
  const refused: number[] = [];
  const server = createIngress({
    snapshot: context.snapshot,
    receive: (webhook, request) => receive(context, webhook, request),
    acceptProbe: () => false,
    onRefused: ({ status }) => void refused.push(status),
    onError: (error) => expect(error).toBeNull(),
  });
  let taken = 0;
  server.on('request', (request) =>
    request.on('data', (chunk: Buffer) => {
      taken += chunk.length;
    }),
  );
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${port}`;
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const head = `POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: ${25 * MB}\r\n\r\n`;
  const unfinished = Buffer.concat([Buffer.from(head), Buffer.alloc(20 * MB, 'x')]);
  const senders = Array.from({ length: 6 }, () => connect({ port, host: '127.0.0.1' }));
  onTestFinished(() => {
    for (const sender of senders) sender.destroy();
  });
  for (const sender of senders) sender.on('error', () => undefined).write(unfinished);
  await eventually('those beyond the bound', () => refused.length >= 3);
  expect(new Set(refused)).toEqual(new Set([503]));
  const usual = await Promise.all(Array.from({ length: 20 }, () => signedPost(url, comment('hello'))));
  expect(usual.map(({ status }) => status)).toEqual(usual.map(() => 202));
  // What a refused one has not sent yet stays in its socket.
  expect(taken).toBeLessThan(6 * 20 * MB);
});

test('F15: of twelve large bodies only the oldest and 16 MB are in memory; each is taken in its turn', async () => {
  const { context } = await startEngine({ env: { GITHUB_WEBHOOK_SECRET: SECRET } });
  const gate = Promise.withResolvers<void>();
  let taken = 0;
  let received = 0;
  const server = createIngress({
    snapshot: context.snapshot,
    async receive(webhook, request) {
      received += 1;
      await gate.promise;
      return receive(context, webhook, request);
    },
    acceptProbe: () => false,
    onError: (error) => expect(error).toBeNull(),
  });
  server.on('request', (request) =>
    request.on('data', (chunk: Buffer) => {
      taken += chunk.length;
    }),
  );
  const url = `http://127.0.0.1:${await listen(server, { host: '127.0.0.1', port: 0 })}`;
  onTestFinished(() => void server.closeAllConnections());
  onTestFinished(() => void server.close());
  const sent = Array.from({ length: 12 }, () => signedPost(url, padded(4)));
  await eventually('the first body', () => received > 0 && taken >= 16 * MB);
  const seen: number[] = [];
  await eventually('the rest to wait in their sockets', () => seen.push(taken) > 1 && seen.at(-2) === taken);
  expect(taken).toBeLessThan((16 + 4 + 12 * 0.25) * MB);
  gate.resolve();
  expect((await Promise.all(sent)).map(({ status }) => status)).toEqual(sent.map(() => 202));
});

test('F15: a large body that does not go on makes room for those that wait for it', async () => {
  const read = createBodyReader({ heldBytes: MB, waitMs: 30_000, turnMs: 50 });
  const ends: string[] = [];
  const taken = new Map<string | undefined, number>();
  const server = createServer(async (request, response) => {
    request.on('data', ({ length }: Buffer) =>
      taken.set(request.url, (taken.get(request.url) ?? 0) + length),
    );
    const result = await read(request, 25 * MB);
    ends.push(`${request.url} ${result.ok ? result.body.length / MB : result.why}`);
    if (result.ok) result.release();
    response.setHeader('connection', 'close').end();
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => void server.closeAllConnections());
  onTestFinished(() => void server.close());
  const begin = (path: string, mb: number) => {
    const request = httpRequest({ port, path, method: 'POST', headers: { 'content-length': 2 * MB } });
    request.on('error', () => undefined).write(Buffer.alloc(mb * MB, 'x'));
    return request;
  };
  const slow = begin('/slow', 1.5);
  onTestFinished(() => void slow.destroy());
  await eventually('its bytes', () => slow.writableLength === 0);
  for (const name of ['/a', '/b']) {
    begin(name, 2).end();
    await eventually(`${name} to become large`, () => (taken.get(name) ?? 0) > 64 * 1024);
  }
  await eventually('those that waited', () => ends.length === 3);
  expect(ends).toEqual(['/slow busy', '/a 2', '/b 2']);
});
