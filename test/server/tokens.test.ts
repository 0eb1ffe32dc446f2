import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createIds } from '../../src/lib/ids.ts';
import type { OwnerToken } from '../../src/server/access/caller.ts';
import { openTokens } from '../../src/server/access/tokens.ts';
import { cli } from '../support/cli.ts';
import { ask, bearer, JSON_TYPE } from '../support/management.ts';
import { serverForTest } from '../support/server.ts';
import { serverOfSuite } from '../support/suite.ts';

describe('the tokens of a data folder', () => {
  let folder: string;
  let now = 1_800_000_000_000;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hookctl-tokens-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const open = () => openTokens({ dataFolder: folder, now: () => now, ids: createIds(() => now) });
  const file = () => join(folder, 'tokens.json');
  const order = {
    name: 'laptop',
    owner: 'ada',
    scopes: ['read'],
    createdBy: 'tester',
    ttlMs: 60_000,
  } as const;

  test('are kept as digests in a private file, and known again after a restart', async () => {
    const tokens = await open();
    const { token, text } = await tokens.create({ ...order, madeWith: null });
    expect(text).toMatch(/^hkt_[0-9a-f]{64}$/);
    expect(readFileSync(file(), 'utf8')).not.toContain(text.slice(4, 30));
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    const again = await open();
    expect(again.list()).toEqual([token]);
    expect(again.find(text)).toMatchObject({ kind: 'owner', token: { owner: 'ada', scopes: ['read'] } });
    expect(again.find(`${text.slice(0, -1)}x`)).toBeNull();
    now += 60_000;
    expect(again.find(text)).toBe('expired');
    expect(again.list()).toHaveLength(1);
    now += 31 * 86_400_000;
    await again.create({ ...order, madeWith: null });
    expect(again.list().map(({ id }) => id)).not.toContain(token.id);
  });

  test('a revoked token ends with those that were made with it, and their holders are notified', async () => {
    const tokens = await open();
    const make = async (madeWith: string | null) => tokens.create({ ...order, madeWith });
    const first = await make(null);
    const second = await make(first.token.id);
    const third = await make(second.token.id);
    const other = await make(null);
    const holder = tokens.find(third.text);
    if (holder === null || holder === 'expired') throw new Error('the third token is unknown');
    const gone = await tokens.revoke(first.token.id);
    expect(gone.map(({ id }: OwnerToken) => id)).toEqual([first, second, third].map(({ token }) => token.id));
    expect([first, second, third].map(({ text }) => tokens.find(text))).toEqual([null, null, null]);
    expect(holder.revoked.aborted).toBe(true);
    expect((await open()).find(other.text)).not.toBeNull();
    await expect(tokens.revoke(first.token.id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(make(second.token.id)).rejects.toMatchObject({ code: 'token' });
  });

  test('a file that is damaged opens nothing, and says what to do', async () => {
    writeFileSync(file(), '{"version":1,"tokens":[{"id":"tok-1"}]}');
    await expect(open()).rejects.toMatchObject({ code: 'tokens_damaged' });
  });
});

describe('with a server', () => {
  const suite = serverOfSuite();
  const withToken = (token: string) => [
    'host',
    `127.0.0.1:${suite().server.managementPort}`,
    ...bearer(token),
    ...JSON_TYPE,
  ];
  const as = (token: string, method: string, path: string, body?: object) =>
    ask(suite().server, method, path, { rawHeaders: withToken(token), ...(body && { body }) });
  const make = async (...args: readonly string[]) => {
    const made = await cli(suite().sandbox, 'token', 'create', '--json', ...args);
    expect(made).toMatchObject({ code: 0 });
    return JSON.parse(made.stdout) as { id: string; token: string; scopes: string[] };
  };

  test('a token opens what its scope names, in the server that runs, until it is revoked', async () => {
    const { id, token } = await make('--owner', 'ada', '--scope', 'admin', '--name', 'laptop');
    const mine = await as(token, 'GET', '/api/tokens');
    expect([mine.status, JSON.parse(mine.text).items]).toMatchObject([200, [{ id, owner: 'ada' }]]);
    expect((await as(token, 'POST', '/api/tokens', { scopes: ['read'], owner: 'eve' })).status).toBe(404);
    const child = JSON.parse(
      (await as(token, 'POST', '/api/tokens', { scopes: ['read'], ttl_ms: 31_536_000_000 })).text,
    );
    expect(child).toMatchObject({ owner: 'ada', made_with: id, created_by: `${id} laptop (token of ada)` });
    const own = JSON.parse((await as(child.token, 'GET', '/api/tokens/own')).text);
    expect(own).toMatchObject({ kind: 'owner', id: child.id, owner: 'ada', scopes: ['read'] });
    expect(own).not.toHaveProperty('token');
    const lacks = await as(child.token, 'GET', '/api/tokens');
    expect([lacks.status, JSON.parse(lacks.text)]).toMatchObject([
      403,
      { code: 'scope', detail: `${child.id} lacks the scope admin` },
    ]);
    const listed = JSON.parse((await cli(suite().sandbox, 'token', 'list', '--json')).stdout);
    expect(listed.map((each: { id: string }) => each.id)).toEqual([id, child.id]);
    expect(child.expires_at).toBe(listed[0].expires_at);
    expect((await cli(suite().sandbox, 'token', 'revoke', id)).stdout).toContain(child.id);
    expect((await as(child.token, 'GET', '/api/tokens')).status).toBe(401);
    expect((await as(token, 'GET', '/api/tokens')).status).toBe(401);
    const audit = (await cli(suite().sandbox, 'audit', 'list', '--json')).stdout;
    expect(audit).toContain(`${id} laptop (token of ada)`);
    expect(audit).not.toContain(token.slice(0, 20));
  });

  test('tokens of another owner are as if they were not there', async () => {
    const ada = await make('--owner', 'ada', '--scope', 'admin');
    const eve = await make('--owner', 'eve', '--scope', 'admin');
    const there = await as(eve.token, 'POST', `/api/tokens/${ada.id}/revoke`);
    const notThere = await as(eve.token, 'POST', `/api/tokens/tok-0000000000000000/revoke`);
    expect([there.status, notThere.status]).toEqual([404, 404]);
    expect(there.text.replaceAll(ada.id, 'ID')).toBe(notThere.text.replaceAll('tok-0000000000000000', 'ID'));
    expect((await as(eve.token, 'GET', '/api/tokens')).text).not.toContain(ada.id);
    expect((await as(ada.token, 'GET', '/api/tokens')).status).toBe(200);
  });

  test('what is the whole machine’s takes the operator’s token alone', async () => {
    const { token } = await make('--owner', 'ada', '--scope', 'admin');
    for (const [method, path] of [
      ['POST', '/api/recover'],
      ['GET', '/api/workspaces'],
      ['POST', '/api/webhooks/restore'],
      ['GET', '/readyz'],
      ['POST', '/hooks/claude/run-1'],
    ] as const) {
      const { status, text } = await as(token, method, path, method === 'POST' ? {} : undefined);
      expect([path, status, JSON.parse(text).code]).toEqual([path, 403, 'operator_only']);
    }
    expect((await as(token, 'GET', '/api/nothing')).status).toBe(404);
  });

  test('the CLI asks for what it needs, and shows the token once', async () => {
    const { sandbox } = suite();
    expect(await cli(sandbox, 'token', 'create')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('owner'),
    });
    expect(await cli(sandbox, 'token', 'create', '--owner', 'Ada B')).toMatchObject({ code: 2 });
    expect(await cli(sandbox, 'token', 'create', '--owner', 'ada', '--ttl', '800d')).toMatchObject({
      code: 2,
    });
    expect(await cli(sandbox, 'token', 'revoke', 'tok-1')).toMatchObject({ code: 4 });
    const made = await cli(sandbox, 'token', 'create', '--owner', 'ada');
    expect(made.stdout).toMatch(/^hkt_[0-9a-f]{64}\n$/);
    expect(made.stderr).toContain('scopes   read');
    expect((await cli(sandbox, 'token', 'list')).stdout).not.toContain('hkt_');
    expect((await cli(sandbox, 'token')).stdout).toMatch(/^[0-9a-f]{64}\n$/);
  });
});

test('without a server the command makes and ends tokens itself; a server knows them from its start on', async () => {
  const { createSandbox } = await import('../support/sandbox.ts');
  const sandbox = await createSandbox();
  try {
    const made = JSON.parse(
      (await cli(sandbox, 'token', 'create', '--owner', 'ada', '--scope', 'admin', '--json')).stdout,
    );
    const server = await serverForTest(sandbox);
    const headers = ['host', `127.0.0.1:${server.managementPort}`, ...bearer(made.token), ...JSON_TYPE];
    expect((await ask(server, 'GET', '/api/tokens', { rawHeaders: headers })).status).toBe(200);
    await server.stop();
    expect((await cli(sandbox, 'token', 'revoke', made.id)).code).toBe(0);
    expect(JSON.parse((await cli(sandbox, 'token', 'list', '--json')).stdout)).toEqual([]);
  } finally {
    await sandbox.remove();
  }
});
