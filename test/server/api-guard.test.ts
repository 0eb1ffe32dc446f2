import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { ask, bearer, expectJson, JSON_TYPE } from '../support/management.ts';
import { readStore, type Server, settled, tokenOf } from '../support/server.ts';
import { serverOfSuite } from '../support/suite.ts';

const suite = serverOfSuite();
let server: Server;
let routes: readonly (readonly [method: string, path: string, body?: object])[];

beforeAll(async () => {
  server = suite().server;
  const body = { provider: 'github', name: 'guarded', commands: [{ name: 'look' }] };
  const made = await expectJson<{ webhook_id: string; commands: { id: string }[] }>(
    201,
    server,
    'POST',
    '/api/webhooks',
    {
      body,
    },
  );
  const { id } = await signedPost(server.url, comment('@agent analyze'));
  await settled(server.sandbox, id);
  // The task's files are noted a moment later, which is nobody's doing in these tests.
  await eventually('the task has its files', () =>
    readStore(server.sandbox, (reader) => reader.tasks()[0]?.sourceMetadata.claude_task_id),
  );
  const webhook = `/api/webhooks/${made.webhook_id}`;
  const command = `${webhook}/commands/${made.commands[0]?.id}`;
  routes = [
    ['GET', '/readyz'],
    ['GET', '/api/status'],
    ['GET', '/api/webhooks'],
    ['POST', '/api/webhooks', { provider: 'github', name: 'by a stranger' }],
    ['GET', webhook],
    ['PUT', webhook, { command_prefix: '@stranger' }],
    ['PATCH', webhook, { command_prefix: '@stranger' }],
    ['POST', `${webhook}/rotate-secret`, {}],
    ['POST', '/api/webhooks/import', { content: { provider: 'github', name: 'of a stranger' } }],
    ['POST', '/api/webhooks/restore'],
    ['POST', `${webhook}/disable`],
    ['POST', `${webhook}/enable`],
    ['POST', '/api/tasks/prune', { before: null, samples: true }],
    ['GET', `${webhook}/commands`],
    ['POST', `${webhook}/commands`, { name: 'stranger' }],
    ['PUT', command, { target_agent: 'stranger' }],
    ['DELETE', command],
    ['GET', `${webhook}/deliveries`],
    ['DELETE', webhook],
    ['GET', '/api/deliveries'],
    ['GET', `/api/deliveries/${id}`],
    ['POST', `/api/deliveries/${id}/replay`, {}],
    ['POST', `/api/deliveries/${id}/retry`, {}],
    ['POST', '/api/replays', { webhook: 'github', headers: {}, body_base64: '' }],
    ['GET', '/api/nothing'],
  ];
});

/** All that a request could change: the db, the deliveries, the tasks. */
function everything(): string {
  const rows = readStore(server.sandbox, (reader) => [reader.deliveries(), reader.tasks()]);
  return readFileSync(join(server.sandbox.dataFolder, 'webhooks.json'), 'utf8') + JSON.stringify(rows);
}

interface Stranger {
  readonly status: number;
  readonly code: string;
  /** Given the port and the right token, which a page may have got hold of. */
  readonly headers: (port: number, token: string) => readonly string[];
}

const strangers: Readonly<Record<string, Stranger>> = {
  'no token': { status: 401, code: 'token', headers: (port) => ['host', `127.0.0.1:${port}`] },
  'a wrong token': {
    status: 401,
    code: 'token',
    headers: (port) => ['host', `127.0.0.1:${port}`, ...bearer('0'.repeat(64))],
  },
  'the token as another scheme': {
    status: 401,
    code: 'token',
    headers: (port, token) => ['host', `127.0.0.1:${port}`, 'authorization', `Basic ${token}`],
  },
  'a page on another origin': {
    status: 403,
    code: 'foreign_origin',
    headers: (port, token) => ['host', `127.0.0.1:${port}`, 'origin', 'https://evil.test', ...bearer(token)],
  },
  'a page on another port of this machine': {
    status: 403,
    code: 'foreign_origin',
    headers: (port, token) => ['host', `127.0.0.1:${port}`, 'origin', 'http://127.0.0.1:1', ...bearer(token)],
  },
  'a form or image of another site': {
    status: 403,
    code: 'foreign_origin',
    headers: (port, token) => ['host', `127.0.0.1:${port}`, 'sec-fetch-site', 'cross-site', ...bearer(token)],
  },
  'a sandboxed frame': {
    status: 403,
    code: 'foreign_origin',
    headers: (port, token) => ['host', `127.0.0.1:${port}`, 'origin', 'null', ...bearer(token)],
  },
  'a rebinding Host': {
    status: 421,
    code: 'wrong_host',
    headers: (port, token) => ['host', `evil.test:${port}`, ...bearer(token)],
  },
  'a Host without the port': {
    status: 421,
    code: 'wrong_host',
    headers: (_, token) => ['host', '127.0.0.1', ...bearer(token)],
  },
  'a proxy': {
    status: 403,
    code: 'proxied',
    headers: (port, token) => ['host', `127.0.0.1:${port}`, 'x-forwarded-for', '1.2.3.4', ...bearer(token)],
  },
  'a tunnel': {
    status: 403,
    code: 'proxied',
    headers: (port, token) => ['host', `127.0.0.1:${port}`, 'cf-connecting-ip', '1.2.3.4', ...bearer(token)],
  },
};

describe.each(Object.entries(strangers))('%s', (_, { status, code, headers }) => {
  test('reads nothing and changes nothing, on any route', async () => {
    const before = everything();
    const rawHeaders = [...headers(server.managementPort, tokenOf(server.sandbox)), ...JSON_TYPE];
    for (const [method, path, body] of routes) {
      const answer = await ask(server, method, path, { body, rawHeaders });
      expect([method, path, answer.status, JSON.parse(answer.text).code]).toEqual([
        method,
        path,
        status,
        code,
      ]);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
    expect(everything()).toBe(before);
  });
});

test('two Host headers are refused, whichever of them is right', async () => {
  const [right, wrong] = [`127.0.0.1:${server.managementPort}`, 'evil.test'];
  for (const [first, second] of [
    [right, wrong],
    [wrong, right],
    [right, right],
  ] as const) {
    const rawHeaders = ['host', first, 'host', second, ...bearer(tokenOf(server.sandbox))];
    expect((await ask(server, 'GET', '/api/status', { rawHeaders })).status).toBeGreaterThanOrEqual(400);
  }
});

test('the preflight of another origin gets no permission', async () => {
  const rawHeaders = [
    ...['host', `127.0.0.1:${server.managementPort}`, 'origin', 'https://evil.test'],
    ...['access-control-request-method', 'PUT'],
  ];
  const answer = await ask(server, 'OPTIONS', '/api/webhooks', { rawHeaders });
  expect(answer.status).toBe(403);
  expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
});

test('a form’s content types are not taken, even with the token', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    const rawHeaders = ['host', `127.0.0.1:${server.managementPort}`, 'content-type', type];
    const given = {
      body: { provider: 'github', name: 'form' },
      rawHeaders: [...rawHeaders, ...bearer(tokenOf(server.sandbox))],
    };
    expect((await ask(server, 'POST', '/api/webhooks', given)).status).toBe(415);
  }
});

test('GET changes nothing, on any route', async () => {
  const before = everything();
  for (const [, path] of routes) await ask(server, 'GET', path);
  expect(everything()).toBe(before);
});
