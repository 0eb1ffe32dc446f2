import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { hiddenIn } from '../support/hidden.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { type Sandbox, sandboxForFile, sandboxForTest } from '../support/sandbox.ts';
import { serveHere } from '../support/serve-here.ts';
import { readStore, type Server, serverForFile } from '../support/server.ts';
import { allStatuses, raw, request, signedRequest } from './raw.ts';

let sandbox: Sandbox;
let server: Server;
beforeAll(async () => {
  sandbox = await sandboxForFile();
  server = await serverForFile(sandbox);
  expect((await tell(sandbox, 'webhook', 'add', 'github', '--name', 'gone')).stderr).not.toContain('error');
  expect((await tell(sandbox, 'webhook', 'remove', 'gone')).stderr).not.toContain('error');
});

/** Sends a request and returns the line of `serve` and the row of it. */
async function told(method: string, path: string, headers: readonly string[] = [], body = '') {
  const known = new Set(server.lines().map(({ id }) => id));
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  const head = request(method, path, [`Host: 127.0.0.1:${server.port}`, length, ...headers]);
  const { status } = await raw(server.port, head + body);
  const line = await eventually(`the line of ${path}`, () =>
    server.lines().find(({ type, id }) => type === 'delivery' && !known.has(id)),
  );
  const row = readStore(sandbox, (reader) => reader.delivery(String(line.id)));
  return { status, line, row };
}

test.each([
  ['POST', '/webhooks/gihub', 404, 'Did you mean /webhooks/github?'],
  ['POST', '/webhooks/github/', 404, 'Write /webhooks/github at the sender, exactly so'],
  ['POST', '/webhooks/GitHub', 404, 'Write /webhooks/github at the sender, exactly so'],
  ['POST', '//webhooks/github', 404, 'Write /webhooks/github at the sender, exactly so'],
  ['POST', '/webhooks/%67ithub', 404, 'Write /webhooks/github at the sender, exactly so'],
  ['POST', '/webhook/github', 404, 'Did you mean /webhooks/github?'],
  ['POST', '/github', 404, 'Did you mean /webhooks/github?'],
  ['POST', '/api/webhooks', 404, 'Management answers at http://127.0.0.1:'],
  ['GET', '/metrics', 404, 'Management answers at http://127.0.0.1:'],
  ['POST', '/webhooks/gone', 404, 'The webhook gone was removed.'],
  ['POST', '/', 404, 'hookctl webhook list'],
  ['GET', '/webhooks/github', 405, 'github takes POST alone.'],
  ['POST', '/healthz', 405, 'Set the sender to the address of a webhook'],
])('E5: %s %s is one line and a row with what to do, answered %i', async (method, path, status, advice) => {
  const sent = await told(method, path);
  expect(sent.status).toBe(status);
  expect(sent.line).toMatchObject({ status: 'rejected', answered: status });
  expect(sent.row?.reason).toContain(`${method} ${path}: `);
  expect(sent.row?.reason).toContain(advice);
  expect(sent.row?.webhook).toBe(status === 405 && path !== '/healthz' ? 'github' : '(none)');
});

test('E5: a compressed body and one that is too large, with their webhook', async () => {
  const packed = gzipSync('{}').toString('latin1');
  const compressed = await told('POST', '/webhooks/github', ['Content-Encoding: gzip'], packed);
  expect(compressed.row).toMatchObject({ webhook: 'github', status: 'rejected' });
  expect(compressed.row?.reason).toMatch(/compressed \(gzip\)\. Switch that off at the sender/);
  const head = request('POST', '/webhooks/github', ['Host: x', 'Content-Length: 99999999']);
  const known = server.lines().length;
  expect((await raw(server.port, head)).status).toBe(413);
  const line = await eventually('its line', () => server.lines()[known]);
  expect(line.reason).toMatch(/its body is too large/);
});

test.each([
  ['no HTTP', 'hello\r\n\r\n', 400, /^A connection: it is not valid HTTP \(HPE_/],
  ['a TLS handshake', Buffer.from('16030100050100000100', 'hex'), 0, /^A connection: it speaks TLS, .*http:/],
  [
    'headers that are too large',
    request('POST', '/webhooks/github?token=QUERYSECRET', ['Host: x', `X-Large: ${'x'.repeat(9_000)}`]),
    431,
    /^POST \/webhooks\/github: its headers are larger than 8 KB/,
  ],
  [
    'two lengths',
    request('POST', '/webhooks/github', ['Host: x', 'Content-Length: 1', 'Content-Length: 2']),
    400,
    /^POST \/webhooks\/github: it is not valid HTTP/,
  ],
  [
    'a chunk without a length',
    'POST /webhooks/github HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    400,
    /it is not valid HTTP \(HPE_INVALID_CHUNK_SIZE\)/,
  ],
  [
    'an expectation that is not known',
    request('POST', '/webhooks/github?token=QUERYSECRET', ['Host: x', 'Expect: 200-ok', 'Content-Length: 0']),
    417,
    /^POST \/webhooks\/github: its Expect header/,
  ],
  [
    'CONNECT',
    request('CONNECT', 'example.invalid:443', ['Host: x']),
    405,
    /^CONNECT example\.invalid:443: it takes hookctl for a proxy/,
  ],
  [
    'an address with its host',
    request('POST', 'http://x/webhooks/github', ['Host: x', 'Content-Length: 0']),
    404,
    /Did you mean \/webhooks\/github\?/,
  ],
] as const)('E5: %s is one line and a row with what to do', async (_, bytes, status, reason) => {
  const known = new Set(server.lines().map(({ id }) => id));
  expect((await raw(server.port, bytes)).status).toBe(status);
  const line = await eventually('the line', () =>
    server.lines().find(({ type, id }) => type === 'delivery' && !known.has(id)),
  );
  const row = readStore(sandbox, (reader) => reader.delivery(String(line.id)));
  expect(row).toMatchObject({ status: 'rejected', reason: expect.stringMatching(reason) });
  expect(row?.reason).not.toContain('QUERYSECRET');
});

test('E5: explain takes the row, status counts it and names it as a problem', async () => {
  const { line } = await told('POST', '/webhooks/githbu');
  const explained = await tell(sandbox, 'explain', String(line.id));
  expect(explained).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Did you mean /webhooks/github?'),
  });
  const status = await tellJson<{ problems: string[]; totals: { by_status: { rejected: number } } }>(
    sandbox,
    'status',
  );
  expect(status.totals.by_status.rejected).toBeGreaterThanOrEqual(2);
  const problem = status.problems.find((text) => text.startsWith('No webhook: '));
  expect(problem).toContain(`See hookctl explain ${line.id}`);
});

test('E5: nothing that hides or steers gets into the line, and no query', async () => {
  const { row } = await told('POST', `/webhooks/${'x'.repeat(500)}?token=SECRETQUERY`);
  expect(row?.reason?.length).toBeLessThan(300);
  expect(row?.reason).not.toContain('SECRETQUERY');
  const odd = await told('POST', '/webhooks/a%C2%9B%C2%AD%E2%80%AE');
  expect(hiddenIn(odd.row?.reason ?? '')).toEqual([]);
});

test('E5: a scan of 400 addresses costs a bounded number of rows and lines; refusals of webhooks stay', async () => {
  const own = await sandboxForTest();
  const { url, port, lines, stop } = await serveHere(own);
  await signedPost(url, comment('hello'), { secret: 'wrong' });
  const begun = performance.now();
  for (let n = 0; n < 400; n += 50) {
    const sent = Array.from({ length: 50 }, (_, at) =>
      raw(port, request('GET', `/wp-${n + at}.php`, [`Host: 127.0.0.1:${port}`])),
    );
    for (const { status } of await Promise.all(sent)) expect(status).toBe(404);
  }
  const bound = 50 + Math.ceil((performance.now() - begun) / 1000);
  await stop();
  const rows = readStore(own, (reader) => reader.deliveries({ status: 'rejected', limit: 500 }));
  expect(rows.length).toBeLessThanOrEqual(bound + 1);
  expect(rows.filter(({ webhook }) => webhook === 'github')).toHaveLength(1);
  expect(lines().filter(({ type }) => type === 'delivery').length).toBe(rows.length);
  const left = lines().filter(({ state }) => state === 'refusing');
  expect(left.reduce((sum, { count }) => sum + Number(count), 0)).toBe(401 - rows.length);
});

test('E10: serve --quiet tells of a task that waits for approval', async () => {
  const own = await sandboxForTest({
    files: {
      'webhooks.yml': 'webhooks: { github: { commands: [{ name: analyze, requiresApproval: true }] } }\n',
    },
  });
  const { url, stderr, stop } = await serveHere(own, ['--quiet']);
  const { id } = await signedPost(url, comment('@agent analyze'));
  await eventually('the line', () => stderr().includes(id));
  expect(stderr()).toMatch(/waits for approval/);
  await stop();
});

const PING = signedRequest({ zen: 'x', hook_id: 1, hook: {} }, 'ping');

test.each([
  ['bytes after its body', `${PING()}GARBAGE\r\n\r\n`, [202, 400]],
  ['bytes after a request that closes', `${PING('Connection: close')}GARBAGE\r\n\r\n`, [202]],
  ['a second request that is cut short', `${PING()}${PING()}POST /web\x01\r\n\r\n`, [202, 202, 400]],
  ['an encoding in capitals', PING('Content-Encoding: Identity', 'Connection: close'), [202]],
  ['an empty encoding', PING('Content-Encoding:', 'Connection: close'), [202]],
])('E5: a whole request gets its own answer, with %s', async (_, bytes, statuses) => {
  expect(await allStatuses(server.port, bytes)).toEqual(statuses);
});

test('E5: a sender that closes its side after a whole request gets its answer', async () => {
  expect(await allStatuses(server.port, PING(), { closeSide: true })).toEqual([202]);
  expect(await allStatuses(server.port, `${PING()}${PING()}`, { closeSide: true })).toEqual([202, 202]);
  expect(await allStatuses(server.port, PING().slice(0, -3), { closeSide: true })).toEqual([400]);
});
