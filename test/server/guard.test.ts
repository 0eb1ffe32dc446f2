import { beforeAll, describe, expect, test } from 'vitest';
import { comment, signedPost } from '../support/github.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { readStore, type Server, serverForFile, settled, tokenOf } from '../support/server.ts';
import { type RawAnswer, raw, request } from './raw.ts';

let sandbox: Sandbox;
let server: Server;
let token: string;
beforeAll(async () => {
  sandbox = await sandboxForFile();
  server = await serverForFile(sandbox);
  token = tokenOf(sandbox);
});

interface Ask {
  readonly method?: string;
  readonly path?: string;
  /** In place of the one right Host header; the port stands for `P`. */
  readonly hosts?: readonly string[];
  readonly authorization?: string | null;
  readonly headers?: readonly string[];
  readonly body?: string;
}

function ask(options: Ask = {}): Promise<RawAnswer> {
  const { method = 'GET', path = '/api/status', hosts = ['127.0.0.1:P'], headers = [], body = '' } = options;
  const { authorization = `Bearer ${token}` } = options;
  const lines = [
    ...hosts.map((host) => `Host: ${host.replace(/P$/, String(server.managementPort))}`),
    ...(authorization === null ? [] : [`Authorization: ${authorization}`]),
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
  ];
  return raw(server.managementPort, request(method, path, lines) + body);
}

test('the right token, host and origin are let in', async () => {
  const { status, body, head } = await ask();
  expect(status).toBe(200);
  expect(JSON.parse(body)).toMatchObject({ data_folder: sandbox.dataFolder, server: { pid: server.pid } });
  expect(head).toMatch(/cache-control: no-store/i);
  expect(head).toMatch(/x-content-type-options: nosniff/i);
  expect(head).not.toMatch(/access-control-/i);
  expect((await ask({ path: '/healthz' })).body).toBe('{"status":"ok","socket":"management"}');
});

describe('the token', () => {
  test.each(['/api/status', '/readyz', '/api/nothing', '/'])('is wanted for %s', async (path) => {
    const wrong = [
      null,
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${token.slice(1)}`,
      `Bearer ${token}x`,
      token,
      `Basic ${token}`,
    ];
    for (const authorization of wrong) {
      const { status, body } = await ask({ path, authorization });
      expect([authorization, status]).toEqual([authorization, 401]);
      expect(body).not.toContain(token);
    }
  });

  test('does not count in the URL', async () => {
    expect((await ask({ path: `/api/status?token=${token}`, authorization: null })).status).toBe(401);
  });
});

test('a page of this address is let in; all others, and proxies: doors.test.ts', async () => {
  const own = [`Origin: http://127.0.0.1:${server.managementPort}`, 'Sec-Fetch-Site: same-origin'];
  expect((await ask({ headers: own })).status).toBe(200);
});

test('F16: whatever a proxy, a content network or a tunnel adds is refused, what clients send is not', async () => {
  const added = [
    ...['Forwarded', 'X-Forwarded-For', 'X-Forwarded', 'Forwarded-For', 'Via', 'CDN-Loop', 'X-Real-IP'],
    ...[
      'True-Client-IP',
      'Client-IP',
      'X-Client-IP',
      'X-Cluster-Client-IP',
      'X-Remote-Addr',
      'X-ProxyUser-IP',
    ],
    ...[
      'X-Original-URL',
      'X-Rewrite-URL',
      'X-Original-Forwarded-For',
      'CF-Connecting-IP',
      'Fastly-Client-IP',
    ],
    ...['CloudFront-Viewer-Address', 'X-Amzn-Trace-Id', 'X-Envoy-External-Address', 'X-Azure-ClientIP'],
    ...['X-AppEngine-User-IP', 'X-Vercel-Forwarded-For', 'X-NF-Client-Connection-IP', 'Fly-Client-IP'],
    ...['X-ARR-LOG-ID', 'X-Cloud-Trace-Context', 'Akamai-Origin-Hop', 'Incap-Client-IP', 'X-Sucuri-ClientIP'],
    ...[
      'DO-Connecting-IP',
      'Ngrok-Trace-Id',
      'Ngrok-Skip-Browser-Warning',
      'Tailscale-User-Login',
      'X-Varnish',
    ],
    ...['WL-Proxy-Client-IP', 'Proxy-Client-IP', 'X-Request-Start', 'X-Forwarder-For', 'Front-End-Https'],
    ...['x-FORWARDED-for', 'X_Forwarded_For', 'Cf_Connecting_IP', 'Remote-Addr', 'X-NginX-Proxy', 'X-CDN'],
    ...['X-Originating-IP', 'X-Forward-For', 'Z-Forwarded-For', 'X-Kong-Request-Id', 'X-SigSci-Tags'],
  ];
  const statuses = await Promise.all(added.map((name) => ask({ headers: [`${name}: 1`] })));
  expect(added.filter((_, index) => statuses[index]?.status !== 403)).toEqual([]);
  const sent = [
    'User-Agent',
    'Accept',
    'Traceparent',
    'X-Request-Id',
    'Mcp-Protocol-Version',
    'X-Requested-With',
  ];
  const let_in = await Promise.all(sent.map((name) => ask({ headers: [`${name}: 1`] })));
  expect(sent.filter((_, index) => let_in[index]?.status !== 200)).toEqual([]);
});

describe('what changes something', () => {
  test.each([
    [],
    ['Content-Type: text/plain'],
    ['Content-Type: application/x-www-form-urlencoded'],
    ['Content-Type: multipart/form-data'],
  ])('takes JSON alone: %j is 415', async (...headers) => {
    const { id } = await signedPost(server.url, comment('hello'));
    const path = `/api/deliveries/${id}/replay`;
    expect((await ask({ method: 'POST', path, headers, body: '{}' })).status).toBe(415);
  });

  const json = ['Content-Type: application/json; charset=utf-8'];
  const post = (path: string, body = '{}') => ask({ method: 'POST', path, headers: json, body });

  test('replay makes a new delivery, retry takes the same one', async () => {
    const { id } = await signedPost(server.url, comment('@agent analyze', { association: 'NONE' }));
    expect((await settled(sandbox, id)).status).toBe('ignored');

    const replayed = await post(`/api/deliveries/${id}/replay`);
    expect(replayed.status).toBe(201);
    const { delivery } = JSON.parse(replayed.body);
    expect(delivery).toMatchObject({ replay_of: id, status: 'ignored' });
    expect(delivery.id).not.toBe(id);

    const retried = await post(`/api/deliveries/${id}/retry`);
    expect(retried.status).toBe(200);
    expect(JSON.parse(retried.body)).toMatchObject({ delivery: { id, status: 'ignored' }, tasks: [] });
  });

  test('what cannot be retried is 409 with the way out, what is not there 404', async () => {
    const { id } = await signedPost(server.url, comment('@agent analyze'));
    await settled(sandbox, id);
    const { status, body } = await post(`/api/deliveries/${id}/retry`);
    expect(status).toBe(409);
    expect(JSON.parse(body)).toMatchObject({
      code: 'not_retryable',
      fix: `To run it as a new delivery: hookctl replay ${id}`,
    });
    expect((await post('/api/deliveries/dlv-none/retry')).status).toBe(404);
    expect((await post('/api/deliveries/dlv-none/replay')).status).toBe(404);
  });

  test('a field that is not known, or no JSON, is 400', async () => {
    const { id } = await signedPost(server.url, comment('hello'));
    for (const body of ['{"replys":true}', '{', '[]', '{"replies":"yes"}']) {
      expect([body, (await post(`/api/deliveries/${id}/replay`, body)).status]).toEqual([body, 400]);
    }
    expect(readStore(sandbox, (reader) => reader.deliveries({ limit: 1 })[0]?.id)).toBe(id);
  });
});
