import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { type Server, startServe, tokenOf } from '../support/server.ts';
import { NO_INTERNET, tunnelLines } from '../support/tunnel.ts';
import { type FakeProgram, installFake } from '../tunnels/fixtures/programs.ts';

/** What the management API knows, so that a request that reached it would do something. */
const ROUTES = ['api/status', 'api/webhooks', 'api/deliveries', 'api/openapi.json'];
const METHODS = 'GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT PROPFIND M-SEARCH QUERY'.split(' ');

/** Every way to write a path that leads out of `/webhooks/` for those who decode, join or clean paths. */
const SPELLINGS: readonly ((route: string, management: number) => string)[] = [
  (route) => `/${route}`,
  (route) => `/webhooks/../${route}`,
  (route) => `/webhooks/%2e%2e/${route}`,
  (route) => `/webhooks/%2E./${route}`,
  (route) => `/webhooks\\..\\${route.replaceAll('/', '\\')}`,
  (route) => `/webhooks/..;/${route}`,
  (route) => `/webhooks/..%2f${route}`,
  (route) => `/webhooks/%252e%252e/${route}`,
  (route) => `//${route}`,
  (route) => `///${route}`,
  (route) => `/webhooks//../../${route}`,
  (route) => `/%61${route.slice(1)}`,
  (route) => `http://evil.test/${route}`,
  (route, management) => `http://127.0.0.1:${management}/${route}`,
  (route, management) => `127.0.0.1:${management}`.concat(route === ROUTES[0] ? '' : `/${route}`),
  (route) => `/webhooks/./../${route}`,
  (route) => `/webhooks/\t../${route}`,
  (route) => `/webhooks/x#/../../${route}`,
  (route) => `/webhooks/x?/../../${route}`,
  (route) => `/${route.toUpperCase()}`,
  (route) => `/${route.replace('api', 'api;a')}`,
  () => '*',
];

let sandbox: Sandbox;
let server: Server;
let fake: FakeProgram;
let token: string;

beforeAll(async () => {
  sandbox = await createSandbox({ env: NO_INTERNET });
  fake = await installFake(sandbox.root, 'cloudflared');
  sandbox = { ...sandbox, env: { ...sandbox.env, PATH: fake.path } };
  server = await startServe(sandbox, '--tunnel', 'cloudflared');
  await eventually('the tunnel', () => tunnelLines(server).some(({ phase }) => phase === 'up'));
  token = tokenOf(sandbox);
  return async () => {
    await server.stop('SIGKILL');
    await sandbox.remove();
  };
});

/** Sends bytes as they are, and returns all that comes back until the other side closes. */
async function raw(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  socket.on('error', () => socket.destroy());
  socket.write(request, 'latin1');
  await once(socket, 'close');
  return answer;
}

/** With everything that would open the management API: the token, its own Host, and no sign of a proxy. */
function request(method: string, target: string, host: string): string {
  const body = '{"name":"planted","provider":"github"}';
  const headers = [
    `Host: ${host}`,
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  return `${method} ${target} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
}

/** What only the management API says: its headers, its problems, its state. */
const MANAGEMENT =
  /cross-origin-resource-policy|problem\+json|data_folder|www-authenticate|"webhooks"|"revision"/i;

test('the management API is recognised when it answers', async () => {
  const host = `127.0.0.1:${server.managementPort}`;
  for (const route of ROUTES.slice(0, 3)) {
    expect(await raw(server.managementPort, request('GET', `/${route}`, host)), route).toMatch(MANAGEMENT);
  }
  expect(
    await raw(
      server.managementPort,
      `GET /api/status HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    ),
  ).toMatch(MANAGEMENT);
});

describe.each(METHODS)('through the tunnel, %s', (method) => {
  test('reaches the management API by no spelling of its paths', async () => {
    const edgePort = Number(fake.told().edgePort);
    const management = server.managementPort;
    const hosts = [`127.0.0.1:${management}`, 'oklahoma-solo-younger-truck.trycloudflare.com'];
    const targets = ROUTES.flatMap((route) => SPELLINGS.map((spell) => spell(route, management)));
    const attempts = targets.flatMap((target) => hosts.map((host) => ({ target, host })));
    const answers = await Promise.all(
      attempts.map(async ({ target, host }) => ({
        target,
        answer: await raw(edgePort, request(method, target, host)),
      })),
    );
    expect(answers).toHaveLength(ROUTES.length * SPELLINGS.length * hosts.length);
    expect(answers.filter(({ answer }) => MANAGEMENT.test(answer))).toEqual([]);
    const good = answers.filter(({ answer }) => /^HTTP\/1\.1 2/.test(answer));
    expect(
      good.map(({ target }) => target),
      'no path but the two of the ingress is served',
    ).toEqual([]);
  });
});

test('all that time, nothing was made and no request was accepted', async () => {
  const headers = { authorization: `Bearer ${token}` };
  const status = await fetch(`${server.managementUrl}/api/status`, { headers });
  const { webhooks, totals } = (await status.json()) as {
    webhooks: { name: string }[];
    totals: { deliveries: number; by_status: Record<string, number> };
  };
  expect(webhooks.map(({ name }) => name)).not.toContain('planted');
  // E5: what reached no webhook is on record, as refused, and as nothing else.
  expect(totals.by_status.rejected).toBe(totals.deliveries);
});
