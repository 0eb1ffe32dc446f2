import { createServer } from 'node:http';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { readStore, serverForTest, settled, startHumanServe, tokenOf } from '../support/server.ts';
import { isAlive, NO_INTERNET, tunnelLines, tunnelSandbox } from '../support/tunnel.ts';
import { startEdge } from '../tunnels/fixtures/edge.ts';
import { closeServer, listen } from '../tunnels/fixtures/scene.ts';

const PUBLIC = /https:\/\/run-\d+\.trycloudflare\.com/;

test('endpoints are shown with the public URL, again and loudly when it changes', async () => {
  const { sandbox, edgeUrl, pid } = await tunnelSandbox({ mode: 'new-name' });
  const running = await startHumanServe(sandbox, '--tunnel', 'cloudflared');
  const endpoints = () =>
    [...running.stderr().matchAll(/^ {2}github: (https:.*)$/gm)].map(([, url]) => url ?? '');
  const [first] = await eventually('the endpoint', () => endpoints().length > 0 && endpoints());
  expect(first).toMatch(new RegExp(`^${PUBLIC.source}/webhooks/github$`));
  expect(running.stderr()).not.toContain('PUBLIC URL CHANGED');

  const { status, id } = await signedPost(edgeUrl(), comment('@agent analyze'));
  expect(status).toBe(202);
  expect(await settled(sandbox, id)).toMatchObject({ status: 'processed', trust: 'verified' });
  expect((await cli(sandbox, 'webhook', 'show', 'github')).stdout).toContain(first);

  process.kill(pid(), 'SIGKILL');
  const urls = await eventually('the endpoint again', () => endpoints().length > 1 && endpoints());
  const [from, to] = urls.map((url) => url.replace('/webhooks/github', ''));
  expect(running.stderr()).toContain(`the public URL changed from ${from} to ${to}`);
  expect(running.stderr()).toContain(`PUBLIC URL CHANGED: enter ${to} at the provider`);
  expect(running.stderr()).toMatch(/tunnel cloudflared down: cloudflared was ended by SIGKILL/);
});

test('`tunnel:` in webhooks.yml opens it; its states are in NDJSON and in /api/status', async () => {
  const { sandbox, pid } = await tunnelSandbox(
    { mode: 'new-name' },
    { 'webhooks.yml': 'tunnel: cloudflared\n' },
  );
  const server = await serverForTest(sandbox);
  const ups = () =>
    tunnelLines(server).filter(({ phase, reason }) => phase === 'up' && /^(open|the)/.test(`${reason}`));
  await eventually('the tunnel', () => ups().length === 1);
  const [connecting, up] = tunnelLines(server);
  expect(connecting).toMatchObject({ phase: 'connecting', driver: 'cloudflared', url: null });
  expect(up).toMatchObject({ url: expect.stringMatching(PUBLIC), stable: false, byte_exact: true });
  const ask = async () => {
    const headers = { authorization: `Bearer ${tokenOf(sandbox)}` };
    return (await fetch(`${server.managementUrl}/api/status`, { headers })).json();
  };
  expect(await ask()).toMatchObject({
    tunnel: { driver: 'cloudflared', url: up?.url, previous_url: null, restarts: 0 },
    server: { public_url: up?.url },
    webhooks: expect.arrayContaining([
      expect.objectContaining({ name: 'github', public_url: `${up?.url}/webhooks/github` }),
    ]),
  });

  process.kill(pid(), 'SIGKILL');
  await eventually('the tunnel again', () => ups().length === 2);
  const [, again] = ups();
  expect(again).toMatchObject({ previous_url: up?.url, restarts: 1 });
  expect(again?.url).not.toBe(up?.url);
  expect(await ask()).toMatchObject({ tunnel: { url: again?.url, restarts: 1 } });
});

test('a probe through the public URL proves the tunnel, or tells what is wrong with it', async () => {
  let ingressPort = 0;
  const edge = await startEdge(() => connect(ingressPort, '127.0.0.1'));
  const stranger = createServer((_request, response) => response.writeHead(404).end());
  const strange = await listen(stranger);
  onTestFinished(async () => void (await Promise.all([edge.close(), closeServer(stranger)])));
  const serve = async (url: string) => serverForTest(await sandboxForTest(), '--tunnel', `none=${url}`);
  const [right, wrong, dead] = await Promise.all([
    serve(`http://127.0.0.1:${edge.port}`),
    serve(`http://127.0.0.1:${strange}`),
    serve('http://127.0.0.1:9'),
  ]);
  ingressPort = right.port;
  const said = (server: typeof right, reason: RegExp) =>
    eventually(`${reason}`, () => tunnelLines(server).find((line) => reason.test(`${line.reason}`)));
  expect(await said(right, /^a probe arrived after \d+ ms$/)).toMatchObject({
    phase: 'up',
    proven_at: expect.any(String),
  });
  expect(await said(wrong, /^wrong URL: http/)).toMatchObject({ phase: 'degraded', proven_at: null });
  expect(await said(dead, /^the tunnel is dead: http.*ECONNREFUSED$/)).toMatchObject({ phase: 'degraded' });
  for (const { sandbox } of [right, wrong, dead]) {
    expect(readStore(sandbox, (reader) => reader.deliveries({ limit: 10 }))).toEqual([]);
  }
});

test('--exit-on-tunnel-loss ends serve with 1 when the tunnel is lost', async () => {
  const { sandbox, pid } = await tunnelSandbox();
  const server = await serverForTest(sandbox, '--tunnel', 'cloudflared', '--exit-on-tunnel-loss');
  await eventually('the tunnel', () => tunnelLines(server).some(({ phase }) => phase === 'up'));
  process.kill(pid(), 'SIGKILL');
  expect(await server.running.ended).toMatchObject({ code: 1, signal: null });
  const [stopping, stopped] = server.lines().slice(-2);
  expect(stopping).toMatchObject({ reason: expect.stringContaining('cloudflared was ended by SIGKILL') });
  expect(stopped).toMatchObject({ type: 'state', state: 'stopped' });
});

test('a missing program says how to get it; serve goes on without it, unless told otherwise', async () => {
  const plain = await sandboxForTest({ env: NO_INTERNET });
  const sandbox = { ...plain, env: { ...plain.env, PATH: plain.root } };
  const server = await serverForTest(sandbox, '--tunnel', 'cloudflared');
  const down = await eventually('it', () => tunnelLines(server).find(({ phase }) => phase === 'down'));
  expect(down.reason).toBe('cloudflared is not installed');
  expect(down.fix).toContain('brew install cloudflared');
  const { status } = await signedPost(server.url, comment('@agent analyze'));
  expect(status).toBe(202);
  await server.stop();

  const ended = await serverForTest(sandbox, '--tunnel', 'cloudflared', '--exit-on-tunnel-loss');
  expect(await ended.running.ended).toMatchObject({ code: 1 });
});

test('a program that does not want to end is ended within the ten seconds that serve has', async () => {
  const { sandbox, fake, pid } = await tunnelSandbox({ mode: 'stubborn' });
  const server = await serverForTest(sandbox, '--tunnel', 'cloudflared');
  await eventually('the tunnel', () => tunnelLines(server).some(({ phase }) => phase === 'up'));
  // Were it not in time, `serve` would end by the signal itself.
  expect(await server.stop()).toMatchObject({ code: 0, signal: null });
  expect(fake.told().askedToStop).toBe(true);
  expect(isAlive(pid())).toBe(false);
});

test('`kill -9` of hookctl takes the tunnel with it', async () => {
  const { sandbox, pid } = await tunnelSandbox();
  const server = await serverForTest(sandbox, '--tunnel', 'cloudflared');
  await eventually('the tunnel', () => tunnelLines(server).some(({ phase }) => phase === 'up'));
  expect(isAlive(pid())).toBe(true);
  await server.stop('SIGKILL');
  await eventually('the tunnel to be gone', () => !isAlive(pid()));
});

test('a tunnel to an ingress that it could not reach is refused', async () => {
  const { stderr, code } = await cli(
    await sandboxForTest(),
    ...['serve', '--host', '127.0.0.2', '--port', '0', '--management-port', '0', '--tunnel', 'cloudflared'],
  );
  expect(stderr).toContain('a tunnel leads to 127.0.0.1, but the ingress is to listen on 127.0.0.2');
  expect(code).toBe(2);
});
