import { beforeAll, describe, expect, test } from 'vitest';
import { ask, bearer, expectJson, JSON_TYPE } from '../support/management.ts';
import { type Server, tokenOf } from '../support/server.ts';
import { serverOfSuite } from '../support/suite.ts';

interface Webhook {
  readonly webhook_id: string;
  readonly name: string;
  readonly [field: string]: unknown;
}
interface Command {
  readonly id: string;
  readonly [field: string]: unknown;
}
interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

const suite = serverOfSuite({
  files: {
    'webhooks.yml': 'static: ./hooks/*.ts\n',
    'hooks/written.ts': [
      "import { defineWebhook } from 'hookctl';",
      "export default defineWebhook({ name: 'written', provider: 'github', commands: [{ name: 'look' }] });",
    ].join('\n'),
  },
});
let server: Server;
beforeAll(() => {
  server = suite().server;
});

function create(name: string, more: object = {}): Promise<Webhook> {
  const body = { provider: 'github', name, secret: 'my-secret', ...more };
  return expectJson<Webhook>(201, server, 'POST', '/api/webhooks', { body });
}

describe('G11: one POST makes the whole webhook', () => {
  test('G11: with its commands and the default among them', async () => {
    const commands = [
      { name: 'analyze', aliases: ['look'], target_agent: 'planning', template: 'Analyze {{issue.title}}' },
      { trigger: 'issues.opened', conditions: { 'issue.state': 'open' }, priority: 5 },
    ];
    const webhook = await create('whole', { default_command: 'analyze', commands });
    expect(webhook).toMatchObject({ default_command: 'analyze', commands });
  });

  test.each(['written', 'github', 'sentry'])(
    'G11: what GET gives of %s is taken under another name',
    async (name) => {
      const source = await expectJson<Webhook>(200, server, 'GET', `/api/webhooks/${name}`);
      const body = { ...source, name: `${name} moved`, secret: 'my-secret' };
      const moved = await expectJson<Webhook>(201, server, 'POST', '/api/webhooks', { body });
      const own = [
        'webhook_id',
        'endpoint',
        'url',
        'origin',
        'secret_source',
        'created_at',
        'updated_at',
        'name',
      ];
      const rest = ({ commands, ...webhook }: Webhook) => [
        Object.entries(webhook).filter(
          ([field]) => !own.includes(field) && !['file', 'line'].includes(field),
        ),
        (commands as Command[]).map((command) => ({ ...command, id: null })),
      ];
      expect(moved).toMatchObject({
        origin: 'dynamic',
        endpoint: `/webhooks/${source.provider}/${moved.webhook_id}`,
      });
      expect(rest(moved)).toEqual(rest({ ...source, has_secret: true }));
    },
  );

  test('G11: fields that a webhook only shows are unknown in any other body', async () => {
    const body = { provider: 'github', name: 'odd', endpoint: '/webhooks/odd' };
    const answer = await ask(server, 'POST', '/api/webhooks', { body });
    expect(answer).toMatchObject({ status: 422, text: expect.stringContaining('endpoint: unknown field') });
  });
});

describe('G12: names of the webhook architecture are named in the error', () => {
  test.each([
    [
      { commands: [{ name: 'a', prompt_template: 'x' }] },
      /commands\.0\.prompt_template.*Did you mean template\?/s,
    ],
    [{ source: 'github' }, /source: unknown field.*Did you mean provider\?/s],
    [{ commands: [{ name: 'a', agent: 'x' }] }, /Did you mean target_agent\?/],
    [{ syncToClaudeTasks: true }, /Did you mean sync_to_claude_tasks\?/],
    [{ commands: [{ trigger: 'push', filters: {} }] }, /Did you mean conditions\?/],
  ])('G12: %j', async (more, message) => {
    const body = { provider: 'github', name: 'named', ...more };
    const answer = await ask(server, 'POST', '/api/webhooks', { body });
    expect(answer.status).toBe(422);
    expect(JSON.parse(answer.text).detail).toMatch(message);
  });
});

describe('a webhook', () => {
  test('is created, shown, changed, switched and removed', async () => {
    const body = { provider: 'github', name: 'Made by API', allow: { users: [5] } };
    const made = await ask(server, 'POST', '/api/webhooks', { body });
    const webhook = JSON.parse(made.text);
    expect(made.status).toBe(201);
    expect(made.headers.location).toBe(`/api/webhooks/${webhook.webhook_id}`);
    const endpoint = `/webhooks/github/${webhook.webhook_id}`;
    expect(webhook).toMatchObject({ endpoint, url: server.url + endpoint, origin: 'dynamic', enabled: true });
    expect(webhook.created_at).toMatch(/^\d{4}-/);

    const path = `/api/webhooks/${webhook.webhook_id}`;
    const change = { command_prefix: '@bot', target_agent: 'planning', allow: null };
    const changed = await expectJson(200, server, 'PUT', path, { body: change });
    const provided = ['OWNER', 'MEMBER', 'COLLABORATOR'];
    expect(changed).toMatchObject({ command_prefix: '@bot', allow: { associations: provided, users: [] } });
    const kept = await expectJson(200, server, 'PUT', path, { body: { target_agent: null } });
    expect(kept).toMatchObject({ command_prefix: '@bot', target_agent: 'brain', name: 'Made by API' });

    expect(await expectJson(200, server, 'POST', `${path}/disable`)).toMatchObject({ enabled: false });
    expect((await fetch(server.url + endpoint, { method: 'POST', body: '{}' })).status).toBe(403);
    expect(await expectJson(200, server, 'POST', `${path}/enable`)).toMatchObject({ enabled: true });
    expect((await fetch(server.url + endpoint, { method: 'POST', body: '{}' })).status).toBe(401);

    expect(await ask(server, 'DELETE', path)).toMatchObject({ status: 204, text: '' });
    expect((await fetch(server.url + endpoint, { method: 'POST', body: '{}' })).status).toBe(404);
    expect(await expectJson(404, server, 'GET', path)).toMatchObject({ code: 'not_found', status: 404 });
  });

  test('shows the secret that was made for it in the 201 alone, and a given one nowhere', async () => {
    const own = await create('own secret', { secret: 'never-shown-1' });
    const made = await create('made secret', { secret: undefined });
    expect(made.secret).toMatch(/^[0-9a-f]{64}$/);
    const path = `/api/webhooks/${made.webhook_id}`;
    const body = { secret: 'never-shown-2' };
    const answers = [
      JSON.stringify(own),
      (await ask(server, 'GET', '/api/webhooks')).text,
      (await ask(server, 'GET', path)).text,
      (await ask(server, 'GET', '/api/status')).text,
      (await ask(server, 'PUT', path, { body })).text,
    ].join();
    expect(answers).toContain('"has_secret":true');
    expect(answers).not.toMatch(new RegExp(`never-shown|${String(made.secret)}`));
  });

  test('keeps by PATCH what is not named in allow and options, which PUT replaces', async () => {
    const { webhook_id } = await create('merged', { allow: { associations: ['OWNER'] } });
    const path = `/api/webhooks/${webhook_id}`;
    const body = { allow: { users: ['7'] } };
    const merged = await expectJson(200, server, 'PATCH', path, { body });
    expect(merged).toMatchObject({ allow: { associations: ['OWNER'], users: ['7'] } });
    const replaced = await expectJson(200, server, 'PUT', path, { body });
    expect(replaced.allow).not.toMatchObject({ associations: ['OWNER'] });
  });

  test('gets a new secret, which that answer alone shows', async () => {
    const { webhook_id } = await create('rotated');
    const path = `/api/webhooks/${webhook_id}`;
    const rotated = await expectJson(200, server, 'POST', `${path}/rotate-secret`, { body: {} });
    expect(rotated.secret).toMatch(/^[0-9a-f]{64}$/);
    const hours = (Date.parse(String(rotated.former_secret_expires_at)) - Date.now()) / 3_600_000;
    expect(Math.round(hours)).toBe(24);
    expect((await ask(server, 'GET', path)).text).not.toContain(rotated.secret);
    const body = { overlap_ms: -1 };
    expect(await ask(server, 'POST', `${path}/rotate-secret`, { body })).toMatchObject({ status: 400 });
  });

  test('is imported with a secret of its own, and a mistake names its place', async () => {
    const content = { webhooks: [{ provider: 'github', name: 'imported' }] };
    const path = '/api/webhooks/import';
    const body = { content };
    const [added] = await expectJson<{ outcome: string; secret: string }[]>(200, server, 'POST', path, {
      body,
    });
    expect(added).toMatchObject({ outcome: 'added', webhook: { name: 'imported', has_secret: true } });
    expect(added?.secret).toMatch(/^[0-9a-f]{64}$/);
    const wrong = { content: [{ provider: 'github', name: 'odd', nmae: 'x' }] };
    const problem = await expectJson(422, server, 'POST', path, { body: wrong });
    expect(problem.problems).toMatchObject([{ field: 'webhooks.0.nmae' }]);
    expect(await expectJson(409, server, 'POST', '/api/webhooks/restore')).toMatchObject({
      code: 'nothing_to_restore',
    });
  });

  test.each(['webhook_id', 'id', 'provider', 'endpoint', 'created_at'])('keeps its %s', async (field) => {
    const { webhook_id } = await create(`fixed ${field}`);
    const body = { [field]: 'other', command_prefix: '@x' };
    const problem = await expectJson(400, server, 'PUT', `/api/webhooks/${webhook_id}`, { body });
    expect(problem).toMatchObject({ code: 'immutable_field', detail: `${field} cannot be changed` });
    const after = await expectJson(200, server, 'GET', `/api/webhooks/${webhook_id}`);
    expect(after.command_prefix).toBe('@agent');
  });

  test('that is code is listed and read, and refused with its file and line', async () => {
    expect(await expectJson(200, server, 'GET', '/api/webhooks/written')).toMatchObject({
      origin: 'static',
      webhook_id: null,
      line: 2,
    });
    const writes = [
      ['PUT', '', { enabled: false }],
      ['DELETE', ''],
      ['POST', '/disable'],
      ['POST', '/commands', { name: 'more' }],
      ['PUT', '/commands/look', { target_agent: 'x' }],
      ['DELETE', '/commands/look'],
    ] as const;
    for (const [method, below, body] of writes) {
      const problem = await expectJson(409, server, method, `/api/webhooks/written${below}`, { body });
      expect(problem).toMatchObject({ code: 'static_webhook' });
      expect(problem.detail).toMatch(/hooks\/written\.ts:2$/);
    }
  });
});

test('commands are added, listed, changed and removed', async () => {
  const { webhook_id } = await create('with commands');
  const path = `/api/webhooks/${webhook_id}/commands`;
  const body = {
    trigger: 'issues.opened',
    target_agent: 'planning',
    template: 'New: {{issue.title}}',
    priority: 5,
  };
  const first = await expectJson<Command>(201, server, 'POST', path, { body });
  const second = await expectJson<Command>(201, server, 'POST', path, { body: { name: 'look' } });
  expect(first).toMatchObject({ ...body, action: 'create_task', conditions: {}, requires_approval: false });
  const conditions = { 'issue.labels.name': 'bug' };
  const changed = await expectJson(200, server, 'PUT', `${path}/${first.id}`, {
    body: { conditions, priority: null },
  });
  expect(changed).toMatchObject({ id: first.id, conditions, priority: 100, target_agent: 'planning' });
  const list = await expectJson<Page<Command>>(200, server, 'GET', path);
  expect(list.items.map(({ id }) => id)).toEqual([first.id, second.id]);
  expect((await ask(server, 'DELETE', `${path}/${first.id}`)).status).toBe(204);
  expect((await expectJson<Page<Command>>(200, server, 'GET', path)).items).toHaveLength(1);
  expect((await ask(server, 'DELETE', `${path}/${first.id}`)).status).toBe(404);
});

test('E24: what is probably mistyped in a webhook or a command is answered as a note', async () => {
  const doubted = {
    trigger: 'issues.opened',
    template: '{{isue.title}}',
    conditions: { 'issue.stat': 'open' },
  };
  const made = await create('with doubts', { events: ['isues.opened'], commands: [doubted] });
  const notes = [/did you mean issues\.opened/, /did you mean issue\.title/, /did you mean issue\.state/];
  expect(made).toMatchObject({ notes: notes.map((note) => expect.stringMatching(note)) });
  const path = `/api/webhooks/${made.webhook_id}/commands`;
  const body = { trigger: 'issue.*' };
  expect(await expectJson(201, server, 'POST', path, { body })).toMatchObject({
    notes: [expect.stringContaining('did you mean issues.*?')],
  });
  const right = { trigger: 'issues.opened', template: '{{issue.title}}' };
  expect(await expectJson(201, server, 'POST', path, { body: right })).not.toHaveProperty('notes');
});

test('lists come in pages that neither repeat nor miss', async () => {
  const names = ['page a', 'page b', 'page c', 'page d', 'page e'];
  for (const name of names) await create(name);
  const seen: string[] = [];
  let cursor: string | null = 'page';
  while (cursor !== null) {
    const query = `limit=2&cursor=${encodeURIComponent(cursor)}`;
    const page: Page<Webhook> = await expectJson(200, server, 'GET', `/api/webhooks?${query}`);
    expect(page.items.length).toBeLessThanOrEqual(2);
    seen.push(...page.items.map(({ name }) => name));
    cursor = page.next_cursor;
  }
  expect(seen.filter((name) => name.startsWith('page'))).toEqual(names);
  for (const query of ['limit=0', 'limit=201', 'limit=x', 'offset=3']) {
    expect(await expectJson(400, server, 'GET', `/api/webhooks?${query}`)).toMatchObject({ code: 'usage' });
  }
});

describe('a mistake', () => {
  const mistakes: readonly (readonly [string, number, string, unknown, RegExp])[] = [
    [
      'an unknown field',
      422,
      'config_invalid',
      { provider: 'github', name: 'm', secrt: 'x' },
      /secrt.*unknown/,
    ],
    ['an unknown provider', 422, 'config_invalid', { provider: 'githup', name: 'm' }, /no provider githup/],
    ['no name', 422, 'config_invalid', { provider: 'github' }, /name.*missing/],
    ['a body that is no JSON', 400, 'usage', '{"name":', /not valid JSON/],
    ['a list', 400, 'usage', [], /not an object/],
    ['a body that nests too deep', 400, 'usage', `{"options":${'['.repeat(99)}${']'.repeat(99)}}`, /deeper/],
    ['a name that a static one has', 409, 'name_taken', { provider: 'github', name: 'WRITTEN' }, /static/],
  ];
  test.each(mistakes)('%s is answered %i %s and changes nothing', async (_, status, code, body, detail) => {
    const before = await expectJson<{ revision: string }>(200, server, 'GET', '/api/status');
    const answer = await ask(server, 'POST', '/api/webhooks', { body });
    expect(answer.headers['content-type']).toBe('application/problem+json');
    const problem = JSON.parse(answer.text);
    expect(problem).toMatchObject({ status, code });
    expect(problem.detail).toMatch(detail);
    const after = await expectJson<{ revision: string }>(200, server, 'GET', '/api/status');
    expect(after.revision).toBe(before.revision);
  });

  test('in a template or a condition names its field', async () => {
    const { webhook_id } = await create('strict');
    const path = `/api/webhooks/${webhook_id}/commands`;
    const template = { trigger: 'push', template: '{{#if' };
    const wrong = await expectJson<{ problems: unknown[] }>(422, server, 'POST', path, { body: template });
    expect(wrong.problems).toMatchObject([{ field: 'commands.0.template' }]);
    const conditions = { trigger: 'push', conditions: { ref: { $where: '1' } } };
    const refused = await expectJson<{ problems: unknown[] }>(422, server, 'POST', path, {
      body: conditions,
    });
    expect(refused.problems).toMatchObject([{ field: 'commands.0.conditions.ref.$where' }]);
  });

  test('in how the body is sent is answered 411, 413 or 415', async () => {
    const usual = ['host', `127.0.0.1:${server.managementPort}`, ...bearer(tokenOf(server.sandbox))];
    const post = (...more: string[]) =>
      ask(server, 'POST', '/api/webhooks', { rawHeaders: [...usual, ...more] });
    expect((await post('transfer-encoding', 'chunked', ...JSON_TYPE)).status).toBe(411);
    expect((await post('content-length', '50000000', ...JSON_TYPE)).status).toBe(413);
    expect((await post('content-length', '2', 'content-type', 'text/plain')).status).toBe(415);
  });

  test('in the method is answered 405 with those that the path takes', async () => {
    const known = {
      '/api/webhooks': 'GET, HEAD, POST',
      '/api/webhooks/x': 'DELETE, GET, HEAD, PATCH, PUT',
      '/api/webhooks/x/enable': 'POST',
      '/api/webhooks/x/disable': 'POST',
      '/api/webhooks/x/rotate-secret': 'POST',
      '/api/webhooks/x/commands': 'GET, HEAD, POST',
      '/api/webhooks/x/commands/y': 'DELETE, PUT',
      '/api/webhooks/x/deliveries': 'GET, HEAD',
      '/api/deliveries': 'GET, HEAD',
      '/api/deliveries/x': 'GET, HEAD',
      '/api/deliveries/x/replay': 'POST',
      '/api/status': 'GET, HEAD',
    };
    for (const [path, allow] of Object.entries(known)) {
      const answer = await ask(server, 'PROPFIND', path);
      expect([path, answer.status, answer.headers.allow]).toEqual([path, 405, allow]);
    }
    expect((await ask(server, 'GET', '/api/nothing')).status).toBe(404);
  });
});
