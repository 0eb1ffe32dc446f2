import { createHmac, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { comment, signedPost } from '../support/github.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { SECRET } from '../support/secret.ts';
import { readStore, type Server, settled } from '../support/server.ts';
import { serverOfSuite } from '../support/suite.ts';
import { raw, request } from './raw.ts';

const OFF = `
import { defineWebhook } from 'hookctl';
export default defineWebhook({ name: 'off', provider: 'github', enabled: false, commands: [] });
`;
const suite = serverOfSuite({ files: { 'webhooks.yml': 'static: ./hooks/*.ts\n', 'hooks/off.ts': OFF } });
let sandbox: Sandbox;
let server: Server;
let host: string;
beforeAll(() => {
  ({ sandbox, server } = suite());
  host = `Host: 127.0.0.1:${server.port}`;
});

const sign = (body: string | Buffer) => `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;

/** Posts bytes as they are, signed. */
async function post(body: Buffer): Promise<{ status: number; id: string; text: string }> {
  const answer = await fetch(`${server.url}/webhooks/github`, {
    method: 'POST',
    body: Uint8Array.from(body),
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'issue_comment',
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': sign(body),
    },
  });
  const text = await answer.text();
  return { status: answer.status, text, id: (JSON.parse(text) as { id?: string }).id ?? '' };
}

/** A comment with this JSON text as one more field. */
function withField(json: string): Buffer {
  return Buffer.from(JSON.stringify(comment('@agent analyze')).replace(/^\{/, `{${json},`));
}

describe('JSON that is signed and does not fit the policy is kept whole, answered 400, and runs nothing', () => {
  const deep = [1e2, 1e3, 1e4, 1e5, 1e6].flatMap((levels) => [
    [`${levels} lists in each other`, withField(`"x":${'['.repeat(levels)}${']'.repeat(levels)}`)] as const,
    [
      `${levels} objects in each other`,
      withField(`"x":${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`),
    ] as const,
    [`${levels} that never close`, Buffer.from('['.repeat(levels))] as const,
  ]);
  const bytes = Buffer.from(JSON.stringify(comment('@agent analyze')));
  test.each([
    ...deep,
    ['invalid UTF-8', Buffer.concat([bytes.subarray(0, -1), Buffer.from([0xff, 0x7d])])],
    [
      'a surrogate as UTF-8',
      Buffer.concat([Buffer.from('{"\xed'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('":1}')]),
    ],
    ['a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes])],
    ['UTF-16', Buffer.from(bytes.toString('utf8'), 'utf16le')],
    ['half a surrogate pair in a key', withField('"\\ud800":1')],
    ['NUL in a key', withField('"a\\u0000":1')],
    ['a key twice', withField('"a":1,"a":2')],
    ['__proto__ twice', withField('"__proto__":{"a":1},"__proto__":{"b":1}')],
    ['60,000 keys', withField(Array.from({ length: 60_000 }, (_, n) => `"k${n}":1`).join(','))],
    ['a list at the top', Buffer.from('[1]')],
    ['a number', Buffer.from('1e999')],
    ['what only JavaScript reads', Buffer.from("{a:1,'b':undefined,}")],
  ] as const)('%s', async (_, body) => {
    const { status, id, text } = await post(body);
    expect([status, id === '']).toEqual([400, false]);
    expect(text.length).toBeLessThan(500);
    const delivery = readStore(sandbox, (reader) => reader.delivery(id));
    expect(delivery).toMatchObject({ status: 'unparsed', trust: 'verified', decisions: [] });
    const kept = readStore(sandbox, (reader) => reader.body(id));
    expect(Buffer.compare(Buffer.from(kept ?? []), body)).toBe(0);
  });
});

test('what is odd but allowed is worked off, kept to the byte, and pollutes nothing', async () => {
  const odd = [
    '"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}',
    '"id64":9007199254740993,"tiny":1e-400,"huge":1e400,"long":0.1000000000000000055511151231257827',
    '"half":"\\ud800 and \\udc00","nul":"\\u0000"',
    `"levels":${'['.repeat(60)}${']'.repeat(60)}`,
  ];
  for (const field of odd) {
    const body = withField(field);
    const { status, id } = await post(body);
    expect([field.slice(0, 30), status]).toEqual([field.slice(0, 30), 202]);
    expect((await settled(sandbox, id)).status).toBe('processed');
    const kept = readStore(sandbox, (reader) => reader.body(id));
    expect(Buffer.compare(Buffer.from(kept ?? []), body)).toBe(0);
  }
  expect(await (await fetch(`${server.url}/healthz`)).json()).toEqual({ status: 'ok' });
  expect(JSON.stringify(readStore(sandbox, (reader) => reader.tasks()))).not.toContain('polluted');
});

describe('a signature that did not come in its header counts for nothing', () => {
  const body = JSON.stringify(comment('@agent analyze'));
  const chunked = `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n`;
  const head = [host, 'X-GitHub-Event: issue_comment', 'Transfer-Encoding: chunked'];
  const send = (path: string, headers: readonly string[], rest: string) =>
    raw(server.port, request('POST', path, [`Host: 127.0.0.1:${server.port}`, ...headers]) + rest);

  test('in a trailer: 401; beside the right header a trailer changes nothing', async () => {
    const [, ...rest] = head;
    const trailers = (signature: string) =>
      `X-Hub-Signature-256: ${signature}\r\nX-GitHub-Event: push\r\n\r\n`;
    const withTrailer = ['Trailer: X-Hub-Signature-256', ...rest];
    expect((await send('/webhooks/github', withTrailer, chunked + trailers(sign(body)))).status).toBe(401);
    const right = [...withTrailer, `X-Hub-Signature-256: ${sign(body)}`];
    const answer = await send('/webhooks/github', right, chunked + trailers('sha256=0'));
    expect(answer.status).toBe(202);
  });

  test('in the query or in a cookie: 401', async () => {
    const [, ...rest] = head;
    const path = `/webhooks/github?x-hub-signature-256=${sign(body)}`;
    const cookie = [...rest, `Cookie: x-hub-signature-256=${sign(body)}`];
    expect((await send(path, cookie, `${chunked}\r\n`)).status).toBe(401);
  });
});

describe('a message that can be read in two ways is read in none', () => {
  const body = JSON.stringify(comment('@agent analyze'));
  const sent = (headers: readonly string[], rest = body) =>
    raw(
      server.port,
      request('POST', '/webhooks/github', [
        `Host: 127.0.0.1:${server.port}`,
        'X-GitHub-Event: issue_comment',
        `X-Hub-Signature-256: ${sign(body)}`,
        ...headers,
      ]) + rest,
    );
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  test.each([
    ['a length and chunks', [length, 'Transfer-Encoding: chunked']],
    ['two lengths', [length, 'Content-Length: 5']],
    ['a length with a sign', ['Content-Length: +5']],
    ['a length in hex', ['Content-Length: 0x5']],
    ['an unknown transfer encoding', ['Transfer-Encoding: xchunked']],
    ['chunked under another', ['Transfer-Encoding: chunked, gzip']],
    ['a folded header', [length, 'X-Folded: a\r\n b']],
    ['a space before the colon', [length, 'X-Space : a']],
    ['a line feed alone', [length, 'X-Feed: a\nX-Hidden: b']],
    ['NUL in a header', [length, 'X-Nul: a\0b']],
    ['a header without a name', [length, ': a']],
  ])('%s: 400', async (_, headers) => {
    const { status, head } = await sent(headers);
    expect(status).toBe(400);
    expect(head).toMatch(/^connection: close$/im);
  });

  test('a chunk with a false size ends the connection, and stores only that it was refused', async () => {
    const taken = () =>
      readStore(sandbox, (reader) =>
        reader.deliveries({ limit: 1_000 }).filter(({ status }) => status !== 'rejected'),
      ).length;
    const before = taken();
    for (const chunk of [
      'zz\r\n{}\r\n0\r\n\r\n',
      '-1\r\n{}\r\n0\r\n\r\n',
      `${'f'.repeat(17)}\r\n{}\r\n0\r\n\r\n`,
      '2\r\n{}}}0\r\n\r\n',
    ]) {
      const { status } = await sent(['Transfer-Encoding: chunked'], chunk);
      expect(status === 400 || status === 413 || status === 0, String(status)).toBe(true);
    }
    expect(taken()).toBe(before);
  });
});

test('headers by the thousand, or 8 KiB of them in small pieces: 431', async () => {
  const many = Array.from({ length: 2_000 }, (_, n) => `X-${n}: 1`);
  const pieces = Array.from({ length: 90 }, (_, n) => `X-Piece-${n}: ${'a'.repeat(90)}`);
  for (const headers of [many, pieces]) {
    const answer = await raw(
      server.port,
      request('POST', '/webhooks/github', [host, 'Content-Length: 0', ...headers]),
    );
    expect(answer.status).toBe(431);
  }
});

test.runIf(existsSync('/proc/self/status'))(
  'a body that would unpack to 256 MB is refused unread',
  async () => {
    const bomb = gzipSync(Buffer.alloc(256 * 1024 * 1024));
    const peakMb = () =>
      Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) / 1024;
    const before = peakMb();
    for (let n = 0; n < 5; n += 1) {
      const answer = await fetch(`${server.url}/webhooks/github`, {
        method: 'POST',
        body: Uint8Array.from(bomb),
        headers: { 'content-encoding': 'gzip', 'x-hub-signature-256': sign(bomb), 'x-github-event': 'ping' },
      }).catch(() => null);
      expect(answer?.status ?? 415).toBe(415);
    }
    expect(peakMb() - before).toBeLessThan(50);
  },
);

describe('every refusal ends the connection', () => {
  const body = JSON.stringify(comment('hello'));
  const cases: readonly (readonly [number, string, string, readonly string[], string])[] = [
    [400, 'POST', '/webhooks/github', ['Host: x', 'Content-Length: 0'], ''],
    [400, 'POST', '/webhooks/github', [`X-Hub-Signature-256: ${sign('{')}`, 'Content-Length: 1'], '{'],
    [401, 'POST', '/webhooks/github', ['Content-Length: 2'], '{}'],
    [403, 'POST', '/webhooks/off', ['Content-Length: 2'], '{}'],
    [404, 'POST', '/webhooks/nobody', ['Content-Length: 2'], '{}'],
    [405, 'PUT', '/webhooks/github', ['Content-Length: 2'], '{}'],
    [405, 'POST', '/healthz', ['Content-Length: 2'], '{}'],
    [413, 'POST', '/webhooks/github', ['Content-Length: 99999999'], ''],
    [415, 'POST', '/webhooks/github', ['Content-Encoding: br', 'Content-Length: 2'], '{}'],
    [431, 'POST', '/webhooks/github', [`X-Long: ${'a'.repeat(9_000)}`, 'Content-Length: 0'], ''],
  ];
  test.each(cases)('%i to %s %s', async (status, method, path, headers, rest) => {
    // Kept open by the sender's wish: without `Connection: close` of ours it would be.
    const head = [
      `${method} ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${server.port}`,
      ...headers,
      'Connection: keep-alive',
      '',
      '',
    ];
    const answer = await raw(server.port, head.join('\r\n') + rest);
    expect(answer.status).toBe(status);
    expect(answer.head).toMatch(/^connection: close$/im);
  });

  test('and what was accepted keeps it', async () => {
    const head = [
      'POST /webhooks/github HTTP/1.1',
      `Host: 127.0.0.1:${server.port}`,
      'X-GitHub-Event: issue_comment',
      `X-Hub-Signature-256: ${sign(body)}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: keep-alive',
      '',
      '',
    ];
    const answer = await raw(server.port, head.join('\r\n') + body, 4_000);
    expect(answer.status).toBe(202);
    expect(answer.head).not.toMatch(/^connection: close$/im);
  });
});

test('after all of it, the server still serves', async () => {
  expect((await signedPost(server.url, comment('@agent analyze'))).status).toBe(202);
  expect(server.lines().filter(({ state }) => state === 'degraded')).toEqual([]);
  expect(server.running.stderr()).toBe('');
});
