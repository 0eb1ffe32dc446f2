import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSmeeChannel, readRelayEvent } from '../../src/tunnels/drivers/smee/channel.ts';
import { smee } from '../../src/tunnels/drivers/smee/index.ts';
import { send } from '../../src/tunnels/http.ts';
import { type RelayServer, startRelay } from './fixtures/relay-server.ts';
import {
  clockAt,
  closeServer,
  type Ingress,
  listen,
  type Scene,
  setScene,
  startIngress,
  until,
} from './fixtures/scene.ts';

describe.each(['smee', 'gosmee'] as const)('a server that speaks as %s', (dialect) => {
  let relay: RelayServer;
  let ingress: Ingress;
  let scene: Scene;

  beforeEach(async () => {
    relay = await startRelay(dialect);
    ingress = await startIngress();
    scene = await setScene(ingress.port);
  });
  afterEach(async () => {
    await scene.end();
    await relay.stop();
    await ingress.close();
  });

  const post = (query = '') =>
    send(relay.url + query, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-github-event': 'push' },
      body: '{"a":1}',
      timeoutMs: 5_000,
    });
  const open = (resumeAfter: string | null = null, path?: string) => {
    const settings = { use: 'smee', url: relay.url, ...(path && { path }) } as const;
    return smee.open(scene.context(settings, { resumeAfter, clock: clockAt(0.01) }));
  };

  test('makes a new channel', async () => {
    expect(await createSmeeChannel(new URL(relay.url).origin, {})).toBe(relay.url);
  });

  test('leads to the path that the webhook has', async () => {
    const tunnel = await open(null, '/webhooks/jira');
    expect(tunnel).toMatchObject({
      url: relay.url,
      leadsTo: '/webhooks/jira',
      canRespond: false,
      stable: true,
    });
    await post();
    await until('it arrives', () => ingress.seen.length === 1);
    expect(ingress.seen[0]?.path).toBe('/webhooks/jira');
    await tunnel.close();
  });

  test('asks again when the ingress is busy, and loses nothing', async () => {
    const tunnel = await open();
    ingress.answerWith(503, 4);
    await post();
    await until('it arrives', () => ingress.seen.length === 1);
    await tunnel.close();
  });

  test('says so when the ingress takes nothing', async () => {
    const tunnel = await open();
    ingress.answerWith(503);
    await post();
    await until('it gives up', () => tunnel.state().phase === 'degraded');
    expect(tunnel.state().reason).toMatch(/did not take a request of the relay: it answered 503; redeliver/);
    await tunnel.close();
  });

  test('is told where to resume', async () => {
    const tunnel = await open('1700000000000-7');
    expect(relay.subscriptions).toEqual(['1700000000000-7']);
    if (dialect === 'gosmee') {
      await until('the gap is shown', () => tunnel.state().phase === 'degraded');
      expect(tunnel.state().reason).toContain('no longer has all events after 1700000000000-7');
    }
    await post();
    await until('a position is told', () => scene.news.some((news) => news.kind === 'position'));
    await tunnel.close();
  });

  test.each([400, 403, 500, 502])('that answers %i is a failure to try again', async (status) => {
    relay.refuseWith(status, { 'retry-after': '7' });
    await expect(open('x')).rejects.toMatchObject({
      message: expect.stringContaining(`answered ${status}`),
      ...{ final: false, retryAfterMs: 7_000 },
    });
    // A position that the server does not understand is forgotten, or it would be refused for ever.
    expect(scene.news.some((news) => news.kind === 'position' && news.id === null)).toBe(status === 400);
  });
});

test('a page that is no channel is named, with what to do', async () => {
  const page = createServer((_request, response) => response.end('<html>'));
  const scene = await setScene(1);
  const origin = `http://127.0.0.1:${await listen(page)}`;
  const opened = smee.open(scene.context({ use: 'smee', url: `${origin}/x` } as const));
  await expect(opened).rejects.toMatchObject({
    message: `${origin}/x is no channel: it answers with something else than a stream of events`,
  });
  await expect(createSmeeChannel(origin, {})).rejects.toThrow('it is no smee or gosmee server');
  await closeServer(page);
  await scene.end();
});

describe('what relays send', () => {
  const read = (data: unknown, event = 'message') =>
    readRelayEvent({ event, id: '', data: typeof data === 'string' ? data : JSON.stringify(data) });

  test.each([
    ['ready', {}],
    ['ping', {}],
    ['message', 'ready'],
    ['message', { message: 'connected' }],
    ['message', { message: 'ready' }],
  ])('%s %j is a sign of life and no webhook', (event, data) => {
    expect(read(data, event)).toEqual({ kind: 'control' });
  });

  test.each([{ timestamp: 1 }, { timestamp: '1' }])('takes %j and prefers the bytes', (timestamp) => {
    const event = read({
      ...timestamp,
      body: { a: 2 },
      bodyB: Buffer.from('{ "a": 1.0 }').toString('base64'),
    });
    expect(event).toMatchObject({ kind: 'request', request: { byteExact: true, headers: {} } });
    expect(event.kind === 'request' && event.request.body.toString()).toBe('{ "a": 1.0 }');
  });

  test('hands over headers, but none that would harm', () => {
    const hostile = {
      'x-hookctl-relay': 'k',
      host: 'h',
      'content-length': '9',
      'transfer-encoding': 'chunked',
    };
    const broken = { 'a b': 'x', 'x-crlf': 'a\r\nb: c', 'x-number': 1, 'x-list': ['a'] };
    const event = read({ 'x-github-event': 'push', ...hostile, ...broken, body: {}, timestamp: 1 });
    expect(event).toMatchObject({ kind: 'request', request: { byteExact: false } });
    expect(event.kind === 'request' && event.request.headers).toEqual({ 'x-github-event': 'push' });
  });

  test('keeps the query, repeated keys too', () => {
    const event = read({ body: {}, query: { a: ['1', '2'], b: 'x y' } });
    expect(event).toMatchObject({ request: { query: '?a=1&a=2&b=x+y' } });
  });

  test.each(['', '[]', 'null', '{', '{}', '{"encrypted":true,"epk":"x"}'])(
    'cannot read %j, and says so',
    (data) => {
      expect(read(data).kind).toBe('unreadable');
    },
  );
});
