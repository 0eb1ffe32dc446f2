import { beforeAll, describe, expect, test } from 'vitest';
import { cliJson } from '../support/cli.ts';
import { comment, signedPost } from '../support/github.ts';
import { ask, expectJson } from '../support/management.ts';
import { type Server, serverForTest, settled, tokenOf } from '../support/server.ts';
import { sandboxOfSuite, serverOfSuite } from '../support/suite.ts';

interface Commands {
  readonly events: readonly {
    readonly commands: readonly { readonly command: string; readonly fires: boolean }[];
  }[];
}
interface Traffic {
  readonly steps: number;
  readonly received: Readonly<Record<string, readonly number[]>>;
  readonly waiting: readonly number[];
  readonly ack_ms: { readonly median: readonly (number | null)[]; readonly p95: readonly (number | null)[] };
}

const suite = serverOfSuite();
const sandbox = sandboxOfSuite();
let server: Server;
let host: string;
beforeAll(() => {
  server = suite().server;
  host = `127.0.0.1:${server.managementPort}`;
});

describe('the pages of the dashboard', () => {
  test.each([
    '/dashboard',
    '/dashboard/deliveries',
    '/dashboard/tasks/task-1',
    '/dashboard/app.js',
    '/dashboard/traffic.js',
  ])('%s needs no token, and may run only its own scripts in no frame', async (path) => {
    const { status, headers } = await ask(server, 'GET', path, { rawHeaders: ['host', host] });
    expect(status).toBe(200);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'; script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['set-cookie']).toBeUndefined();
  });

  test.each([
    ['another host', 421, ['host', 'evil.example:8001']],
    ['a page of another origin', 403, ['origin', 'http://evil.example']],
    ['a script of another site', 403, ['sec-fetch-site', 'cross-site', 'sec-fetch-dest', 'script']],
    ['a frame of another site', 403, ['sec-fetch-site', 'cross-site', 'sec-fetch-dest', 'iframe']],
    ['a proxy', 403, ['x-forwarded-for', '203.0.113.7']],
  ])('%s gets nothing of them', async (_, expected, headers) => {
    const rawHeaders = headers[0] === 'host' ? headers : ['host', host, ...headers];
    const { status, text } = await ask(server, 'GET', '/dashboard/app.js', { rawHeaders });
    expect([status, text.includes('"code"')]).toEqual([expected, true]);
  });

  test('a browser may go there from a link or a file; what is not a page is not found', async () => {
    const visit = ['host', host, 'sec-fetch-site', 'cross-site', 'sec-fetch-dest', 'document'];
    expect((await ask(server, 'GET', '/dashboard', { rawHeaders: visit })).status).toBe(200);
    const no = await ask(server, 'GET', '/dashboard/a/b/c', { rawHeaders: ['host', host] });
    expect(no.status).toBe(404);
    const data = await ask(server, 'GET', '/api/status', { rawHeaders: ['host', host] });
    expect(data.status).toBe(401);
  });

  test('`hookctl dashboard --json` prints the address, with the token in the fragment', async () => {
    const { url } = await cliJson<{ url: string }>(server.sandbox, 'dashboard');
    expect(url).toBe(`${server.managementUrl}/dashboard#token=${tokenOf(server.sandbox)}`);
  });
});

describe('what the dashboard reads', () => {
  test('an explanation of a payload says which commands would fire, and stores nothing', async () => {
    const before = await expectJson<{ items: unknown[] }>(200, server, 'GET', '/api/deliveries');
    const body = { event: 'issue_comment.created', body: JSON.stringify(comment('@agent plan it')) };
    const tried = await expectJson<Commands>(200, server, 'POST', '/api/webhooks/github/explain', { body });
    const fired = tried.events[0]?.commands.filter(({ fires }) => fires).map(({ command }) => command);
    expect(fired).toEqual(['plan']);
    const after = await expectJson<{ items: unknown[] }>(200, server, 'GET', '/api/deliveries');
    expect(after.items).toHaveLength(before.items.length);
    const none = await ask(server, 'POST', '/api/webhooks/none/explain', { body });
    expect(none.status).toBe(404);
  });

  test('traffic counts deliveries by minute and state, and those that wait', async () => {
    const since = new Date(Date.now() - 600_000).toISOString();
    const { id } = await signedPost(server.url, comment('@agent analyze this'));
    await settled(server.sandbox, id);
    await signedPost(server.url, comment('hello'), { secret: 'wrong' });
    const path = `/api/traffic?${new URLSearchParams({ since })}`;
    const { received, steps, waiting } = await expectJson<Traffic>(200, server, 'GET', path);
    const sum = (state: string) => received[state]?.reduce((total, count) => total + count, 0);
    expect([sum('processed'), sum('rejected'), sum('failed')]).toEqual([1, 1, 0]);
    expect(received.processed).toHaveLength(steps);
    expect(waiting.at(-1)).toBe(0);
    const turned = `/api/traffic?${new URLSearchParams({ since, until: since })}`;
    expect((await ask(server, 'GET', turned)).status).toBe(400);
  });

  test('traffic shows deliveries and answer times from rows, right after a restart', async () => {
    const first = await serverForTest(sandbox());
    const { id } = await signedPost(first.url, comment('@agent analyze this'));
    await settled(sandbox(), id);
    await first.stop();
    const second = await serverForTest(sandbox());
    const path = `/api/traffic?${new URLSearchParams({ since: new Date(Date.now() - 600_000).toISOString() })}`;
    const { received, ack_ms: ack } = await expectJson<Traffic>(200, second, 'GET', path);
    expect(received.processed?.reduce((total, count) => total + count, 0)).toBe(1);
    const medians = ack.median.filter((value) => value !== null);
    expect(medians).toHaveLength(1);
    expect(medians[0]).toBeGreaterThan(0);
    expect(ack.p95.filter((value) => value !== null)[0]).toBeGreaterThanOrEqual(medians[0] ?? 0);
  });

  test('runs, budgets, spend and the form of a sender', async () => {
    expect(await expectJson(200, server, 'GET', '/api/runs')).toEqual({ items: [], next_cursor: null });
    expect((await ask(server, 'GET', '/api/runs/run-none/log')).status).toBe(404);
    const budgets = await expectJson<{ items: object[] }>(200, server, 'GET', '/api/budgets');
    expect(budgets.items[0]).toMatchObject({ name: 'day', runs: 0, limit_runs: 200, limit_usd: 50 });
    const since = new Date(0).toISOString();
    const spend = await expectJson(200, server, 'GET', `/api/spend?${new URLSearchParams({ since })}`);
    expect(spend).toMatchObject({ by: 'agent', rows: [], total: { runs: 0, cost_usd: 0 } });
    const form = await expectJson<{ items: object[] }>(200, server, 'GET', '/api/webhooks/github/form');
    expect(form.items).toContainEqual({
      label: 'Payload URL',
      value: expect.stringContaining('/webhooks/github'),
    });
  });
});
