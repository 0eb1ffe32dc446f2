import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { listen } from '../../src/lib/http/listen.ts';
import { limitConnections } from '../../src/server/ingress/socket.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { serveHere } from '../support/serve-here.ts';

/** Opens connections that send this much and then nothing more. */
async function slow(port: number, count: number, text: string): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1' }));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const socket of sockets) {
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(text);
  }
  return sockets;
}

test.each([
  ['nothing', ''],
  ['half a head', 'POST /webhooks/github HTTP/1.1\r\nHost: x\r\nX-Half: '],
])('F14: 300 unsigned connections that send %s shut no other sender out', async (_, text) => {
  const sandbox = await sandboxForTest();
  const { port, url } = await serveHere(sandbox);
  const sockets = await slow(port, 300, text);
  const statuses = await Promise.all(
    Array.from({ length: 5 }, async () => (await signedPost(url, comment('hello'))).status),
  );
  expect(statuses).toEqual([202, 202, 202, 202, 202]);
  await eventually('the oldest are closed', () => sockets.filter(({ closed }) => closed).length >= 45);
  // Not one more than there had to be.
  expect(sockets.filter(({ closed }) => closed).length).toBeLessThanOrEqual(50);
  expect(sockets.at(-1)?.closed).toBe(false);
});

let server: Server;
let port: number;
let now: number;
const answers: (() => void)[] = [];

beforeEach(async () => {
  now = 0;
  answers.length = 0;
  server = createServer((_, response) => void answers.push(() => void response.end('ok')));
  limitConnections(server, 3, () => now);
  port = await listen(server, { host: '127.0.0.1', port: 0 });
  return async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
});

const WHOLE = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const SLOW_BODY = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc';

test('F14: a connection with a whole head stays while one without is there', async () => {
  const busy = await slow(port, 2, WHOLE);
  await eventually('both requests', () => answers.length === 2);
  const [idle] = await slow(port, 1, '');
  const [fourth] = await slow(port, 1, WHOLE);
  await eventually('the idle one is closed', () => idle?.closed);
  await eventually('its request', () => answers.length === 3);
  expect([...busy, fourth].map((socket) => socket?.closed)).toEqual([false, false, false]);
});

test('F14: a body that is slow makes room, one that came just now does not', async () => {
  const slowBodies = await slow(port, 2, SLOW_BODY);
  await eventually('both heads', () => answers.length === 2);
  now = 3_000;
  const [third] = await slow(port, 1, SLOW_BODY);
  await eventually('its head', () => answers.length === 3);
  for (const [index, expected] of [
    [0, 4],
    [1, 5],
  ] as const) {
    await slow(port, 1, WHOLE);
    await eventually('the oldest slow one is closed', () => slowBodies[index]?.closed);
    await eventually('the request', () => answers.length === expected);
  }
  const [refused] = await slow(port, 1, WHOLE);
  await eventually('the one too many is closed', () => refused?.closed);
  expect(third?.closed).toBe(false);
});

test('F14: a connection that was answered and kept open makes room', async () => {
  const kept = await slow(port, 3, WHOLE);
  await eventually('all requests', () => answers.length === 3);
  for (const answer of answers) answer();
  await Promise.all(kept.map((socket) => once(socket, 'data')));
  await slow(port, 1, WHOLE);
  await eventually('the oldest is closed', () => kept[0]?.closed);
  await eventually('the new request', () => answers.length === 4);
  expect(kept.slice(1).map(({ closed }) => closed)).toEqual([false, false]);
});
