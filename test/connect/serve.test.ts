import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { signedPost } from '../support/github.ts';
import { githubApi } from '../support/hook-apis/github.ts';
import { type KeptHook, startLoopback } from '../support/hook-apis/loopback.ts';
import { tell } from '../support/in-process.ts';
import { serveHere } from '../support/serve-here.ts';
import { readStore } from '../support/server.ts';
import { isAlive, tunnelLines, tunnelSandbox } from '../support/tunnel.ts';

/** A server behind a quick tunnel, and a GitHub that sends to wherever its hooks point. */
async function scene(yaml = '') {
  const api = await startLoopback(githubApi);
  const {
    sandbox: plain,
    edgeUrl,
    pid,
  } = await tunnelSandbox(
    { mode: 'new-name' },
    {
      'webhooks.yml': `tunnel: cloudflared\ncredentials: { github: { baseUrl: "${api.url()}" } }\n${yaml}`,
    },
  );
  const sandbox = { ...plain, env: { ...plain.env, GITHUB_TOKEN: 'token-of-github' } };
  const server = await serveHere(sandbox, ['--json']);
  const publicUrl = () => tunnelLines(server).findLast(({ url, phase }) => phase === 'up' && url)?.url;
  await eventually('the tunnel', () => publicUrl() !== undefined);
  const ping = { zen: 'Keep it simple', hook_id: 1, hook: {} };
  // One that comes when the server ends is lost.
  api.onPing = (hook) => void send(hook, 'ping', ping).catch(() => undefined);
  /** Where the hook points now; what it points to elsewhere is lost. */
  async function send(hook: KeptHook, event: string, payload: object): Promise<number> {
    const { origin, pathname, search } = new URL(hook.url);
    if (origin !== publicUrl()) return 502;
    const { status } = await signedPost(edgeUrl(), payload as never, {
      event,
      path: pathname + search,
      headers: { 'x-github-hook-id': hook.id },
    });
    return status;
  }
  return { api, sandbox, server, publicUrl, pid, send };
}

test('connect: makes the hook through the server, and says that the ping arrived', async () => {
  const { api, sandbox, publicUrl } = await scene();
  const { code, stdout, stderr } = await tell(sandbox, 'connect', 'github', 'acme/api', 'acme/web');
  expect([code, stderr]).toEqual([0, expect.stringContaining('Waiting for the ping')]);
  expect(stdout).toContain(`github acme/api made its hook ${api.hooks[0]?.id}: issue_comment, issues`);
  expect(stdout).toContain(`→ github at ${publicUrl()}/webhooks/github?hookctl=`);
  expect(stdout.match(/the ping arrived after .* \[dlv-/g)).toHaveLength(2);
  const list = await tell(sandbox, 'connect', 'list', '--json');
  expect(JSON.parse(list.stdout)).toMatchObject([
    { connector: 'github', target: 'acme/api', problem: null },
    { target: 'acme/web' },
  ]);
  expect(list.stdout).not.toContain('fingerprint');
  const removed = await tell(sandbox, 'connect', 'remove', 'acme/web');
  expect(removed.stdout).toContain('removed hook');
  expect(api.hooks.map(({ place }) => place)).toEqual(['/repos/acme/api']);
  const audit = JSON.parse((await tell(sandbox, 'audit', 'list', '--json')).stdout);
  expect(audit.map(({ what }: { what: string }) => what)).toEqual(
    expect.arrayContaining(['connection.make', 'connection.remove']),
  );
});

test('connect: when no ping arrives it says so and what to look at, exit 1', async () => {
  const { api, sandbox } = await scene();
  api.onPing = null;
  const { code, stdout } = await tell(sandbox, 'connect', 'github', 'acme/api', '--wait', '1s');
  expect([code, stdout]).toEqual([1, expect.stringContaining('no ping arrived at github in 1')]);
});

test('a new URL of the tunnel: the hook follows, and a line says for how long it sent elsewhere', async () => {
  const { api, sandbox, server, publicUrl, pid } = await scene();
  await tell(sandbox, 'connect', 'github', 'acme/api');
  const [hook] = api.hooks;
  const { secret, events } = { ...hook };
  const first = publicUrl();
  // The sender fails at first.
  api.failNext({ status: 502 }, ({ method }) => method === 'PATCH');
  process.kill(pid(), 'SIGKILL');
  await eventually('another URL', () => publicUrl() !== first);
  await eventually('the hook', () => hook?.url.startsWith(`${publicUrl()}/webhooks/github?hookctl=`));
  expect(hook).toMatchObject({ secret, events });
  await eventually('the line', () => server.lines().some(({ type }) => type === 'connection'));
  const line = server.lines().findLast(({ type }) => type === 'connection');
  expect(line?.text).toMatch(/^github acme\/api: the hook follows to .*; it sent elsewhere for \d+ s$/);
});

test('a start: hooks of the server before follow, paused ones send again, drift is a problem of status', async () => {
  const { api, sandbox, server } = await scene('connect: { pauseWhenStopped: true }\n');
  await tell(sandbox, 'connect', 'github', 'acme/api');
  expect(await server.stop()).toBe(0);
  expect(api.hooks[0]?.isActive).toBe(false);
  expect(server.stdout()).toContain("is not in the sender's log and can't be recovered");
  Object.assign(api.hooks[0] ?? {}, { events: ['push'] });

  const next = await serveHere(sandbox, ['--json']);
  await eventually('the hook', () => api.hooks[0]?.isActive);
  const url = () => tunnelLines(next).findLast((line) => line.phase === 'up')?.url;
  await eventually('its URL', () => url() !== undefined && api.hooks[0]?.url.startsWith(`${url()}/`));
  await eventually('the line', () => next.stdout().includes('it sent elsewhere for at most'));
  await eventually('the drift', () =>
    readStore(sandbox, (reader) => reader.connections()[0]?.problem?.includes('events: push →')),
  );
  const { stdout } = await tell(sandbox, 'connect', 'check');
  expect(stdout).toContain('events\n  - push\n  + issue_comment');
  expect((await tell(sandbox, 'status')).stdout).toContain('hookctl connect check --fix');
  expect((await tell(sandbox, 'connect', 'check', '--fix')).stdout).toContain('mended');
  expect(api.hooks[0]?.events).toContain('issues');
});

test('webhook remove: its hooks are removed at their senders, also without a server', async () => {
  const { api, sandbox, server, pid } = await scene();
  const add = await tell(sandbox, 'webhook', 'add', 'github', '--name', 'triage');
  expect([add.code, add.stderr]).toEqual([0, expect.anything()]);
  await tell(sandbox, 'webhook', 'command', 'add', 'triage', '--text-name', 'go');
  await tell(sandbox, 'connect', 'github', 'acme/api', '--webhook', 'triage', '--wait', '0');
  expect(api.hooks).toHaveLength(1);
  await server.stop();
  expect(isAlive(pid())).toBe(false);
  const { code, stderr } = await tell(sandbox, 'webhook', 'remove', 'triage');
  expect([code, stderr]).toEqual([0, expect.stringContaining('removed its hook at github acme/api')]);
  expect(api.hooks).toEqual([]);
});
