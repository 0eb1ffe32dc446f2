import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { comment } from '../support/github.ts';
import { SECRET } from '../support/secret.ts';
import { type Server, tokenOf } from '../support/server.ts';
import { serverOfSuite } from '../support/suite.ts';
import { type RawAnswer, raw, request } from './raw.ts';

/*
 * Every spelling of a path, Host, Origin and proxy header that has opened a local server before, against both sockets,
 * always with the management token and a signature: all that a stranger lacks is what these forms are to get around.
 */

/** A webhook whose sender asks before it sends: by GET, HEAD, OPTIONS and POST. */
const ASKS = `
import { defineWebhook } from 'hookctl';
export default defineWebhook({
  name: 'asks',
  provider: 'generic',
  options: { header: 'x-signature', handshake: ['get', 'trello', 'cloudevents', 'graph'] },
  commands: [],
});
`;
const suite = serverOfSuite({
  files: { 'webhooks.yml': 'static: ./webhooks/*.ts\n', 'webhooks/asks.ts': ASKS },
});
let server: Server;
let token: string;
beforeAll(() => {
  server = suite().server;
  token = tokenOf(suite().sandbox);
});

const PATHS = [
  '/webhooks/../api/status',
  '/webhooks/%2e%2e/api/status',
  '/webhooks/%2E./api/status',
  '/webhooks\\..\\api\\status',
  '/webhooks/..;/api/status',
  '/webhooks/..%2fapi/status',
  '/webhooks/%252e%252e/api/status',
  '//api/status',
  '///api/status',
  '/webhooks//../../api/status',
  '/%61pi/status',
  'http://evil.test/api/status',
  'http://127.0.0.1:M/api/status',
  '/webhooks/./../api/status',
  '/webhooks/\t../api/status',
  '/webhooks/x#/../../api/status',
  '/webhooks/x?/../../api/status',
  '/API/status',
  '/api;a/status',
  '*',
] as const;

/** `P` stands for the port of the socket; the first three are management's own. */
const OWN_HOSTS = ['localhost:P', '127.0.0.1:P', '[::1]:P'];
const FOREIGN_HOSTS = [
  'localhost',
  'localhost.:P',
  'LOCALHOST:P',
  'foo.localhost:P',
  '127.1:P',
  '127.0.0.2:P',
  '2130706433:P',
  '0x7f.1:P',
  '0.0.0.0:P',
  '[::]:P',
  '[::ffff:127.0.0.1]:P',
  '[0:0:0:0:0:0:0:1]:P',
  '127.0.0.1.nip.io:P',
  'evil.test:P',
  'evil.test',
  'localhost:P@evil.test',
  'a@localhost:P',
  'localhost:P, evil.test',
  'localhost:1',
  'localhost:99999',
  'my-tunnel.trycloudflare.com',
  'abc.ngrok-free.app',
  '',
];
/** Several Host headers, or none. */
const HOST_COUNTS = [
  [],
  ['127.0.0.1:P', 'evil.test'],
  ['evil.test', '127.0.0.1:P'],
  ['127.0.0.1:P', '127.0.0.1:P'],
];

const PROXY_HEADERS = [
  'X-Forwarded-For: 1.2.3.4',
  'X-Forwarded-Host: localhost',
  'X-Forwarded-Proto: https',
  'Forwarded: for=1.2.3.4',
  'X-Real-IP: 1.2.3.4',
  'Cf-Connecting-Ip: 1.2.3.4',
  'Cf-Ray: 1-FRA',
  'Ngrok-Trace-Id: 1',
  'Tailscale-User-Login: ada',
  'Via: 1.1 proxy',
  'X-Original-Host: evil.test',
];
const ORIGINS = [
  'null',
  'http://localhost:I',
  'http://localhost:1',
  'http://127.0.0.1',
  'http://192.168.1.5',
  'https://evil.test',
  'https://127.0.0.1:P',
  'file://',
  'chrome-extension://x',
  'vscode-webview://x',
];
const SITES = ['same-origin', 'same-site', 'cross-site', 'none'];

type Socket = 'ingress' | 'management';

/** One request to a socket, with the token and a signed body. */
function knock(
  socket: Socket,
  method: string,
  path: string,
  { hosts = ['127.0.0.1:P'], headers = [], version = '1.1' }: Form = {},
): Promise<RawAnswer> {
  const port = socket === 'ingress' ? server.port : server.managementPort;
  const fill = (text: string) =>
    text
      .replace(/:P(?=$|@|,)/g, `:${port}`)
      .replace(/:I$/, `:${server.port}`)
      .replace(':M/', `:${server.managementPort}/`);
  const body = method === 'GET' ? '' : JSON.stringify(comment('@agent analyze'));
  const lines = [
    ...hosts.map((host) => `Host: ${fill(host)}`),
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    'X-GitHub-Event: issue_comment',
    `X-Hub-Signature-256: sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers.map(fill),
  ];
  return raw(
    port,
    request(method, fill(path), lines).replace(' HTTP/1.1\r\n', ` HTTP/${version}\r\n`) + body,
  );
}

interface Form {
  readonly hosts?: readonly string[];
  readonly headers?: readonly string[];
  readonly version?: string;
}

/** What only management says, whatever the status. */
const isManagement = ({ head, body }: RawAnswer) =>
  /cross-origin-resource-policy/i.test(head) || /data_folder|management_url/.test(body);
const isServed = ({ status }: RawAnswer) => status >= 200 && status < 300;

/** Asks for each case, twenty at a time, and gives those that answered as they must not. */
async function wrong<T>(
  cases: readonly T[],
  ask: (it: T) => Promise<RawAnswer>,
  isWrong: (answer: RawAnswer) => boolean,
) {
  const found: string[] = [];
  const left = [...cases];
  const work = async () => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const answer = await ask(next);
      if (isWrong(answer))
        found.push(`${JSON.stringify(next)}: ${answer.status} ${answer.body.slice(0, 80)}`);
    }
  };
  await Promise.all(Array.from({ length: 20 }, work));
  return found;
}

const allForms: readonly Form[] = [
  ...[...OWN_HOSTS, ...FOREIGN_HOSTS].map((host) => ({ hosts: [host] })),
  ...HOST_COUNTS.map((hosts) => ({ hosts })),
  { hosts: [], version: '1.0' },
  ...PROXY_HEADERS.map((header) => ({ headers: [header] })),
  ...ORIGINS.map((origin) => ({ headers: [`Origin: ${origin}`] })),
  ...SITES.map((site) => ({ headers: [`Sec-Fetch-Site: ${site}`] })),
];

describe('the ingress', () => {
  test('leads to management by no path, under no Host and with no header', async () => {
    const paths = [...PATHS, '/api/status', '/readyz', '/metrics', '/mcp', '/', '/webhooks/asks'];
    const cases = paths.flatMap((path) => allForms.map((form) => ({ path, form })));
    expect(cases.length).toBeGreaterThan(1_000);
    const found = await wrong(
      cases,
      ({ path, form }) => knock('ingress', 'GET', path, form),
      (answer) => isServed(answer) || isManagement(answer) || answer.status === 0,
    );
    expect(found).toEqual([]);
  });

  test('takes none of these paths for a webhook, and CONNECT for nothing', async () => {
    const methods = ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];
    const cases = methods.flatMap((method) => PATHS.map((path) => ({ method, path })));
    const found = await wrong(
      cases,
      ({ method, path }) => knock('ingress', method, path),
      (answer) => isServed(answer) || isManagement(answer),
    );
    expect(found).toEqual([]);
    expect(isServed(await knock('ingress', 'CONNECT', `127.0.0.1:${server.managementPort}`))).toBe(false);
  });

  test('answers no method of a webhook with a handshake that no one awaits, and opens no way to await one', async () => {
    const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'PATCH', 'TRACE'];
    const forms = [{}, ...PROXY_HEADERS.map((header) => ({ headers: [header] }))].map((form: Form) => ({
      headers: [...(form.headers ?? []), 'WebHook-Request-Origin: evil.test'],
    }));
    const paths = [
      '/webhooks/asks',
      '/webhooks/asks?validationToken=x',
      '/api/webhooks/asks/await',
      '/webhooks/asks/await',
    ];
    const cases = methods.flatMap((method) =>
      paths.flatMap((path) => forms.map((form) => ({ method, path, form }))),
    );
    const found = await wrong(
      cases,
      ({ method, path, form }) => knock('ingress', method, path, form),
      (answer) =>
        isServed(answer) || isManagement(answer) || /webhook-allowed|evil/i.test(answer.head + answer.body),
    );
    expect(found).toEqual([]);
  });

  test('accepts what is signed whatever a tunnel adds to it, so long as there is one Host', async () => {
    const forms = allForms.filter(
      ({ hosts }) => hosts === undefined || (hosts.length === 1 && hosts[0] !== ''),
    );
    const found = await wrong(
      forms,
      (form) => knock('ingress', 'POST', '/webhooks/github', form),
      ({ status }) => status !== 202 && status !== 200,
    );
    expect(found).toEqual([]);
  });
});

describe('management', () => {
  test.each(OWN_HOSTS)('answers under its own name %s', async (host) => {
    expect((await knock('management', 'GET', '/api/status', { hosts: [host] })).status).toBe(200);
  });

  const routes = [
    '/api/status',
    '/healthz',
    '/readyz',
    '/metrics',
    '/api/webhooks',
    '/api/audit',
    '/nothing',
  ];

  test('answers under no other, also with the token', async () => {
    const forms: readonly Form[] = [
      ...FOREIGN_HOSTS.map((host) => ({ hosts: [host] })),
      ...HOST_COUNTS.map((hosts) => ({ hosts })),
      { hosts: [], version: '1.0' },
      { hosts: ['evil.test:P'], version: '1.0' },
    ];
    const cases = routes.flatMap((path) => forms.map((form) => ({ path, form })));
    const found = await wrong(
      cases,
      ({ path, form }) => knock('management', 'GET', path, form),
      ({ status }) => status !== 421 && status !== 400,
    );
    expect(found).toEqual([]);
  });

  test('awaits a handshake under no other name, for no page and through no proxy', async () => {
    const forms: readonly Form[] = [
      ...FOREIGN_HOSTS.map((host) => ({ hosts: [host] })),
      ...[...PROXY_HEADERS, ...ORIGINS.map((origin) => `Origin: ${origin}`)].map((header) => ({
        headers: [header],
      })),
    ];
    const found = await wrong(
      forms,
      (form) => knock('management', 'POST', '/api/webhooks/asks/await', form),
      ({ status }) => ![400, 403, 421].includes(status),
    );
    expect(found).toEqual([]);
  });

  test('answers nothing that came through a proxy or from a page of another origin', async () => {
    const headers = [
      ...PROXY_HEADERS,
      ...ORIGINS.map((origin) => `Origin: ${origin}`),
      'Sec-Fetch-Site: same-site',
      'Sec-Fetch-Site: cross-site',
    ];
    const cases = routes.flatMap((path) => headers.map((header) => ({ path, header })));
    const found = await wrong(
      cases,
      ({ path, header }) => knock('management', 'GET', path, { headers: [header] }),
      ({ status, head }) => status !== 403 || /access-control-/i.test(head),
    );
    expect(found).toEqual([]);
  });

  test('knows its paths as they are written, and no other spelling of them', async () => {
    const cases = ['GET', 'POST', 'OPTIONS', 'TRACE'].flatMap((method) =>
      PATHS.map((path) => ({ method, path })),
    );
    const found = await wrong(cases, ({ method, path }) => knock('management', method, path), isServed);
    expect(found).toEqual([]);
  });
});
