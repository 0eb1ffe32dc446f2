import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { sign } from '@octokit/webhooks-methods';
import { beforeAll, describe, expect, test } from 'vitest';
import { spawnCli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { tell } from '../support/in-process.ts';
import { receiverForTest } from '../support/receiver.ts';
import { type Sandbox, sandboxForFile, sandboxForTest } from '../support/sandbox.ts';
import { SECRET } from '../support/secret.ts';
import { readStore, serverForTest, settled, startServe } from '../support/server.ts';

const COUNT = 60;

/** A first one with headers that no client library lets pass, and a query. */
async function postRaw(url: string, body: string): Promise<string> {
  const sent = request(`${url}/webhooks/github?a=1&b`, {
    method: 'POST',
    headers: {
      ...{ 'x-own': 'kept', connection: 'close, x-hop', 'x-hop': 'dropped', te: 'trailers' },
      ...{ 'x-github-event': 'issue_comment', 'x-github-delivery': '1', 'content-type': 'application/json' },
      'x-hub-signature-256': await sign(SECRET, body),
    },
  });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return ((await json(response)) as { id: string }).id;
}

describe('replay --to', () => {
  let sandbox: Sandbox;
  const ids: string[] = [];
  const bodies: string[] = [];

  beforeAll(async () => {
    sandbox = await sandboxForFile();
    const server = await startServe(sandbox);
    for (let issue = 1; issue <= COUNT; issue++) {
      // Bytes that no JSON library would write.
      const body = `${JSON.stringify(comment(`Grüße ${issue}`, { issue }), null, 1)} \n`;
      ids.push(issue === 1 ? await postRaw(server.url, body) : (await signedPost(server.url, body)).id);
      bodies.push(body);
    }
    await settled(sandbox, ids.at(-1) ?? '');
    expect(await server.stop()).toMatchObject({ code: 0 });
  });

  test('sends the stored headers and bodies, without hop-by-hop headers', async () => {
    const { url, received } = await receiverForTest();
    const { code, stdout } = await tell(sandbox, 'replay', ids[0] ?? '', '--to', `${url}?c=2`);
    expect([code, stdout]).toEqual([0, `${ids[0]}  204\n`]);
    const [one] = received;
    const kept = readStore(sandbox, (reader) => reader.delivery(ids[0] ?? ''))?.headers ?? {};
    expect(one?.body.toString()).toBe(bodies[0]);
    expect(one?.path).toBe('/hook?c=2&a=1&b');
    expect(one?.headers).toMatchObject({
      'x-own': 'kept',
      'x-github-event': 'issue_comment',
      'x-hub-signature-256': kept['x-hub-signature-256'],
      host: new URL(url).host,
    });
    for (const name of ['x-hop', 'te']) expect(one?.headers[name]).toBeUndefined();
  });

  test('sends the selection, in order with --concurrency 1', async () => {
    const { url, received } = await receiverForTest();
    const args = ['--webhook', 'github', '--to', url, '--concurrency', '1'];
    const { code, stdout } = await tell(sandbox, 'replay', ...args);
    expect([code, stdout]).toEqual([0, `sent ${COUNT}: ${COUNT} answered 204\n`]);
    expect(received.map(({ body }) => body.toString())).toEqual(bodies);
    const before = readStore(sandbox, (reader) => reader.countsByWebhook());
    expect(before).toMatchObject([{ total: COUNT }]);
  });

  test('fails when any response is not 2xx; follows no redirect', async () => {
    const { url, received } = await receiverForTest((_, count) =>
      count === 2
        ? { status: 302, headers: { location: '/elsewhere' } }
        : { status: count === 3 ? 500 : 200 },
    );
    const sent = ids.slice(0, 3);
    const told = await tell(sandbox, 'replay', ...sent, '--to', url, '--json', '--concurrency', '1');
    const lines = told.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect([told.code, lines]).toEqual([
      1,
      [
        { source: sent[0], status: 200, error: null },
        { source: sent[1], status: 302, error: 'redirects to /elsewhere, not followed' },
        { source: sent[2], status: 500, error: null },
      ],
    ]);
    expect(received).toHaveLength(3);
  });

  test('stops when the server does not respond, and prints how to continue', async () => {
    const { code, stderr } = await tell(
      sandbox,
      'replay',
      '--webhook',
      'github',
      '--to',
      'http://127.0.0.1:1/',
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining('http://127.0.0.1:1 does not answer')]);
    expect(stderr).toContain('ECONNREFUSED');
    expect(stderr).toMatch(/Continue with: hookctl replay .*--after dlv-/);
  });

  test('stopped by Ctrl-C: prints how to continue; in the end each is sent once', async () => {
    const { url, received } = await receiverForTest((_, count) => ({
      status: 204,
      when: new Promise((resolve) => setTimeout(resolve, count < 30 ? 5 : 50)),
    }));
    const running = spawnCli(sandbox, ['replay', '--webhook', 'github', '--to', url, '--concurrency', '3']);
    await eventually('some of them', () => received.length >= 20);
    running.child.kill('SIGINT');
    const { code, stderr } = await running.ended;
    expect(code).toBe(1);
    expect(stderr).toContain(`interrupted: ${received.length} of ${COUNT} were replayed`);
    const goOn = /Continue with: hookctl (.+)$/m.exec(stderr)?.[1]?.split(' ') ?? [];
    expect((await tell(sandbox, ...goOn)).code).toBe(0);
    const seen = received.map(({ body }) => body.toString());
    expect(seen.toSorted()).toEqual(bodies.toSorted());
  });

  test('--resign signs with the present secret, so that another hookctl accepts it', async () => {
    const other = await sandboxForTest({ env: { GITHUB_WEBHOOK_SECRET: 'another' } });
    const server = await serverForTest(other);
    const to = ['--to', `${server.url}/webhooks/github`];
    const rotated = { ...sandbox, env: { ...sandbox.env, GITHUB_WEBHOOK_SECRET: 'another' } };
    const refused = await tell(rotated, 'replay', ids[0] ?? '', ...to);
    expect([refused.code, refused.stdout]).toEqual([1, `${ids[0]}  401\n`]);
    const taken = await tell(rotated, 'replay', '--webhook', 'github', ...to, '--resign');
    expect([taken.code, taken.stdout]).toEqual([0, `sent ${COUNT}: ${COUNT} answered 202\n`]);
    const there = readStore(other, (reader) => reader.deliveries({ after: '', limit: 500 }));
    const texts = there
      .filter(({ status }) => status !== 'rejected')
      .map(({ id }) => Buffer.from(readStore(other, (reader) => reader.body(id)) ?? []).toString());
    expect(texts.toSorted()).toEqual(bodies.toSorted());
  });
});
