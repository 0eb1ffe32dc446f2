import { beforeAll, describe, expect, test } from 'vitest';
import { tools } from '../../src/mcp/server.ts';
import type { Scope } from '../../src/server/access/caller.ts';
import type { Operation } from '../../src/server/openapi/operation.ts';
import { operations } from '../../src/server/openapi/operations.ts';
import { overHttp } from '../mcp/support.ts';
import { eventually } from '../support/eventually.ts';
import { tellJson } from '../support/in-process.ts';
import type { Asked } from '../support/management.ts';
import { isolationScene, MARK, type Scene, type Things, tokenOf } from './isolation-scene.ts';

/**
 * What every operation of the API takes of a token of an owner. One that is not here fails the first test: nobody thought about whom
 * it is for.
 */
const NEEDS: Readonly<Record<string, Scope | 'operator'>> = {
  'get /status': 'read',
  'get /events': 'read',
  'get /openapi.json': 'read',
  'get /traffic': 'read',
  'get /outbox': 'read',
  'post /outbox/:id/retry': 'tasks',
  'post /outbox/:id/drop': 'tasks',
  'get /audit': 'operator',
  'get /connections': 'read',
  'post /connections': 'operator',
  'post /connections/check': 'operator',
  'get /connections/:id': 'read',
  'post /connections/:id/ping': 'webhooks',
  'delete /connections/:id': 'operator',
  'get /github-apps': 'operator',
  'post /github-apps/registration': 'operator',
  'get /github-apps/registration': 'operator',
  'get /workspaces': 'operator',
  'post /workspaces/prune': 'operator',
  'post /workspaces/:id/remove': 'operator',
  'get /deliveries': 'read',
  'get /deliveries/:id': 'read',
  'post /deliveries/:id/retry': 'tasks',
  'post /deliveries/:id/replay': 'tasks',
  'post /deliveries/:id/send': 'operator',
  'post /deliveries/replay': 'tasks',
  'post /deliveries/prune': 'operator',
  'post /replays': 'tasks',
  'post /recover': 'operator',
  'get /tasks': 'read',
  'post /tasks': 'tasks',
  'post /tasks/prune': 'operator',
  'get /tasks/:id': 'read',
  'post /tasks/:id/start': 'tasks',
  'post /tasks/:id/complete': 'tasks',
  'post /tasks/:id/fail': 'tasks',
  'post /tasks/:id/cancel': 'tasks',
  'post /tasks/:id/approve': 'tasks',
  'post /tasks/:id/retry': 'tasks',
  'post /tasks/:id/ask': 'tasks',
  'post /tasks/:id/answer': 'tasks',
  'post /tasks/:id/link': 'tasks',
  'post /tasks/:id/attach': 'tasks',
  'post /tasks/:id/detach': 'tasks',
  'post /tasks/:id/comment': 'tasks',
  'post /sync': 'operator',
  'post /agents/:name/release': 'operator',
  'post /events/listen': 'tasks',
  'post /events/ack': 'tasks',
  'get /schedules': 'operator',
  'post /schedules/:name/pause': 'operator',
  'post /schedules/:name/resume': 'operator',
  'post /schedules/:name/run': 'operator',
  'get /runs': 'read',
  'get /runs/:id': 'read',
  'get /runs/:id/log': 'read',
  'get /spend': 'read',
  'get /stats': 'read',
  'get /budgets': 'read',
  'get /flows': 'read',
  'get /flows/:id': 'read',
  'post /flows/:id/unlink': 'tasks',
  'get /conversations': 'read',
  'get /conversations/:id': 'read',
  'get /conversations/:id/metrics': 'read',
  'get /conversations/:id/messages': 'read',
  'get /conversations/:id/context': 'read',
  'get /webhooks': 'read',
  'post /webhooks': 'webhooks',
  'post /webhooks/import': 'operator',
  'post /webhooks/restore': 'operator',
  'get /webhooks/:id': 'read',
  'put /webhooks/:id': 'webhooks',
  'patch /webhooks/:id': 'webhooks',
  'delete /webhooks/:id': 'webhooks',
  'post /webhooks/:id/enable': 'webhooks',
  'post /webhooks/:id/disable': 'webhooks',
  'post /webhooks/:id/rotate-secret': 'webhooks',
  'post /webhooks/:id/await': 'webhooks',
  'get /webhooks/:id/deliveries': 'read',
  'get /webhooks/:id/commands': 'read',
  'post /webhooks/:id/commands': 'webhooks',
  'put /webhooks/:id/commands/:command': 'webhooks',
  'delete /webhooks/:id/commands/:command': 'webhooks',
  'get /webhooks/:id/form': 'read',
  'get /webhooks/:id/compare': 'read',
  'post /webhooks/:id/explain': 'read',
  'get /tokens': 'admin',
  'get /tokens/own': 'read',
  'post /tokens': 'admin',
  'post /tokens/:id/revoke': 'admin',
};

/** The things by which the path of an operation can name one, by its first word. */
const NAMES: Readonly<Record<string, (things: Things) => readonly string[]>> = {
  deliveries: ({ delivery }) => [delivery],
  tasks: ({ task, waiting }) => [task, waiting],
  flows: ({ flow }) => [flow],
  conversations: ({ conversation }) => [conversation],
  runs: ({ run }) => [run],
  outbox: ({ item }) => [item],
  webhooks: ({ webhook, webhookName }) => [webhook, webhookName],
  connections: ({ connection }) => [connection],
  tokens: ({ token }) => [token],
};

/** Bodies in which a thing can be named. Left out: the example of the operation. */
const BODIES: Readonly<Record<string, (things: Things) => readonly object[]>> = {
  'post /deliveries/replay': ({ delivery }) => [{ ids: [delivery] }],
  'post /replays': ({ webhookName }) => [{ webhook: webhookName, headers: {}, body_base64: 'e30=' }],
  'post /tasks': ({ task }) => [
    { prompt: 'x', parent_task_id: task },
    { prompt: 'x', agent: 'idle', depends_on: [task] },
  ],
  'post /events/listen': ({ task }) => [{ consumer: 'me', since_task_id: task }],
};

const NOT_THERE = '0000000000000000';
/** An id or a name like another, of something that is not there. */
const missing = (name: string) =>
  /^[a-z]+-[a-z0-9]{16}$/.test(name) ? name.replace(/[a-z0-9]{16}$/, NOT_THERE) : 'none';

const key = ({ method, path }: Operation) => `${method} ${path}`;
const noun = ({ path }: Operation) => path.split('/')[1] ?? '';
const isNamed = ({ path }: Operation) => path.includes('/:');

let scene: Scene;
const since = new Date(0).toISOString();
beforeAll(async () => {
  scene = await isolationScene();
}, 90_000);

function pathOf({ path, query }: Operation, name: string, { command }: Things): string {
  const named = path.replace(/:(?:id|name)\b/, encodeURIComponent(name)).replace(':command', command);
  return `/api${named}${query !== undefined && !query.safeParse({}).success ? `?since=${since}` : ''}`;
}

function requireNoLeak(what: string, { text, headers }: Asked, asked: readonly string[] = []): void {
  let seen = text + JSON.stringify(headers);
  for (const each of asked)
    seen = seen.replaceAll(each, 'ASKED').replaceAll(encodeURIComponent(each), 'ASKED');
  const leaked = scene.secrets().filter((secret) => seen.includes(secret));
  expect([what, leaked, leaked.length === 0 ? '' : seen]).toEqual([what, [], '']);
}

test('each operation of the API says what it takes', () => {
  expect(Object.keys(NEEDS).sort()).toEqual(operations.map(key).sort());
});

describe('what is another owner’s', () => {
  test.each(
    operations
      .filter((each) => isNamed(each) && NEEDS[key(each)] !== 'operator')
      .map((each) => [key(each), each] as const),
  )('%s: is answered as what is not there', async (name, operation) => {
    const { ada, eve, as } = scene;
    const before = scene.rowsOfEve();
    for (const other of NAMES[noun(operation)]?.(eve.things) ?? []) {
      for (const body of [operation.example ?? {}, {}]) {
        const ask = async (id: string) => {
          const given = operation.method === 'get' ? undefined : body;
          return as(ada.token, operation.method.toUpperCase(), pathOf(operation, id, eve.things), given);
        };
        const [there, notThere] = [await ask(other), await ask(missing(other))];
        expect([name, there.status]).toEqual([name, 404]);
        expect(there.text.replaceAll(other, 'ID')).toBe(notThere.text.replaceAll(missing(other), 'ID'));
        requireNoLeak(name, there, [other]);
      }
    }
    expect(scene.rowsOfEve()).toBe(before);
  });

  test.each(Object.entries(BODIES))('%s: nor is it found by what a body names', async (name, bodies) => {
    const { ada, eve, as } = scene;
    const before = scene.rowsOfEve();
    const [method = '', path = ''] = name.split(' ');
    for (const body of bodies(eve.things)) {
      const there = await as(ada.token, method.toUpperCase(), `/api${path}`, body);
      const names = Object.values(eve.things).filter((each) => JSON.stringify(body).includes(each));
      const other = JSON.parse(
        names.reduce((text, each) => text.replaceAll(each, missing(each)), JSON.stringify(body)),
      );
      const notThere = await as(ada.token, method.toUpperCase(), `/api${path}`, other);
      expect([name, there.status]).toEqual([name, 404]);
      const same = (text: string) =>
        names.reduce((all, each) => all.replaceAll(each, 'ID').replaceAll(missing(each), 'ID'), text);
      expect(same(there.text)).toBe(same(notThere.text));
      requireNoLeak(name, there, names);
    }
    expect(scene.rowsOfEve()).toBe(before);
  });

  test('no filter finds it', async () => {
    const { ada, eve, as } = scene;
    const { things } = eve;
    const queries = [
      ...[`deliveries?webhook=${encodeURIComponent(things.webhookName)}`, `deliveries?text=${MARK}`],
      ...[`deliveries?sender=${MARK}`, `tasks?text=${MARK}`, `tasks?flow_id=${things.flow}`],
      ...[`tasks?conversation_id=${things.conversation}`, `tasks?delivery_id=${things.delivery}`],
      ...[`conversations?flow_id=${things.flow}`, `webhooks?label=${MARK}`],
      `stats?since=${since}&webhook=${encodeURIComponent(things.webhookName)}`,
    ];
    for (const query of queries) {
      const answer = await as(ada.token, 'GET', `/api/${query}`);
      const { items, rows } = JSON.parse(answer.text);
      expect([query, answer.status, items ?? rows]).toEqual([query, 200, []]);
      requireNoLeak(query, answer);
    }
    for (const operation of operations.filter(
      ({ query }) => query !== undefined && 'shape' in query && 'owner' in (query.shape as object),
    )) {
      if (NEEDS[key(operation)] === 'operator') continue;
      const path = pathOf(operation, '', things);
      const by = (owner: string) =>
        as(ada.token, 'GET', `${path}${path.includes('?') ? '&' : '?'}owner=${owner}`);
      const [there, notThere] = [await by(MARK), await by('nooneatall')];
      expect([path, there.status, there.text.replace(MARK, 'X')]).toEqual([
        path,
        404,
        notThere.text.replace('nooneatall', 'X'),
      ]);
      expect((await by(ada.owner)).status).toBe(200);
    }
  });

  test('of an issue that both hear of each sees the own part, by its external id too', async () => {
    const { ada, eve, as } = scene;
    expect(ada.things.externalId).toBe(eve.things.externalId);
    const id = encodeURIComponent(ada.things.externalId);
    const flow = await as(ada.token, 'GET', `/api/flows/${id}`);
    expect(JSON.parse(flow.text)).toMatchObject({ id: ada.things.flow, owner: ada.owner });
    requireNoLeak('the flow', flow);
    const list = await as(ada.token, 'GET', `/api/flows?external_id=${id}`);
    expect(JSON.parse(list.text).items).toMatchObject([{ id: ada.things.flow }]);
    const made = await as(ada.token, 'POST', '/api/tasks', {
      prompt: 'more',
      agent: 'idle',
      external_id: ada.things.externalId,
    });
    expect(JSON.parse(made.text)).toMatchObject({ owner: ada.owner, flow_id: ada.things.flow });
    const before = scene.rowsOfEve();
    const linked = await as(ada.token, 'POST', `/api/tasks/${ada.things.waiting}/link`, {
      to: 'github:codertocat/hello-world#109',
    });
    expect(linked.status).toBe(200);
    requireNoLeak('the link', linked);
    expect(scene.rowsOfEve()).toBe(before);
  });

  test('what another owner does changes nothing of what is seen', async () => {
    const { ada, as } = scene;
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const look = async () => {
      const seen: Record<string, string> = {};
      for (const operation of operations.filter(({ method }) => method === 'get')) {
        const names = isNamed(operation) ? (NAMES[noun(operation)]?.(ada.things) ?? ['nightly']) : [''];
        for (const name of key(operation) === 'get /events' ? [] : names) {
          const path = pathOf(operation, name, ada.things);
          const isSpan = ['get /stats', 'get /traffic'].includes(key(operation));
          const from = isSpan ? `&until=${until}` : '';
          const answer = await as(
            ada.token,
            'GET',
            path.replace(
              since,
              `${new Date(Date.now() - 7_200_000).toISOString().slice(0, 11)}00:00:00.000Z`,
            ) + from,
          );
          requireNoLeak(path, answer);
          seen[path.split('?')[0] ?? ''] = answer.text;
        }
      }
      const metrics = await as(ada.token, 'GET', '/metrics');
      requireNoLeak('/metrics', metrics);
      return { ...seen, metrics: metrics.text };
    };
    const before = await look();
    await scene.moreOfEve();
    expect(await look()).toEqual(before);
  });
});

describe('webhooks', () => {
  test('none is made or changed to be another owner’s, or to use the machine itself', async () => {
    const { ada, eve, as } = scene;
    const before = scene.rowsOfEve();
    const own = `/api/webhooks/${ada.things.webhook}`;
    const fresh = { provider: 'github', name: 'fresh' };
    const run = { name: 'deploy', action: 'run', options: { program: 'sh' } };
    const forward = { name: 'on', action: 'forward', options: { to: 'http://127.0.0.1:1/' } };
    for (const [method, path, body, status] of [
      ['POST', '/api/webhooks', { ...fresh, owner: MARK }, 404],
      ['POST', '/api/webhooks', { ...fresh, name: eve.things.webhookName.toUpperCase() }, 409],
      ['POST', '/api/webhooks', { ...fresh, commands: [run] }, 403],
      ['POST', '/api/webhooks', { ...fresh, secrets: [{ env: 'GITHUB_TOKEN' }] }, 403],
      [
        'POST',
        '/api/webhooks',
        {
          ...fresh,
          variants: [
            { name: 'a', weight: 1, commands: [forward] },
            { name: 'b', weight: 1 },
          ],
        },
        403,
      ],
      ['PATCH', own, { owner: MARK }, 404],
      ['PUT', own, { owner: null }, 404],
      ['PUT', own, { name: eve.things.webhookName }, 409],
      ['POST', `${own}/commands`, run, 403],
      ['PUT', `${own}/commands/${ada.things.command}`, { action: 'run', options: { program: 'sh' } }, 403],
      ['POST', `${own}/rotate-secret`, { secret: { env: 'GITHUB_TOKEN' } }, 403],
      ['POST', '/api/tokens', { owner: MARK, scopes: ['read'] }, 404],
    ] as const) {
      const answer = await as(ada.token, method, path, body);
      expect([method, path, body, answer.status, answer.text]).toEqual([
        method,
        path,
        body,
        status,
        answer.text,
      ]);
      requireNoLeak(path, answer, [MARK, MARK.toUpperCase()]);
    }
    expect(scene.rowsOfEve()).toBe(before);
    const made = await as(ada.token, 'POST', '/api/webhooks', fresh);
    expect([made.status, JSON.parse(made.text).owner]).toEqual([201, ada.owner]);
  });
});

describe('tools for agents', () => {
  /** How each tool would reach another owner's task. A tool that is not here fails. */
  const CALLS: Readonly<Record<string, (things: Things) => Record<string, unknown>>> = {
    list_tasks: ({ conversation }) => ({ status: 'all', conversation_id: conversation }),
    get_task: ({ task }) => ({ task_id: task }),
    start_task: ({ task }) => ({ task_id: task }),
    complete_task: ({ waiting }) => ({ task_id: waiting, result: 'x' }),
    fail_task: ({ waiting }) => ({ task_id: waiting, error: 'x' }),
    create_subtask: ({ task }) => ({ parent_task_id: task, prompt: 'x' }),
    ask: ({ task }) => ({ task_id: task, question: 'x' }),
    comment: ({ task }) => ({ task_id: task, text: 'x' }),
    link: ({ task }) => ({ task_id: task, to: 'github:acme/shop#1' }),
    next_event: () => ({ wait_seconds: 0 }),
    ack_event: () => ({ event_id: 'evt-1' }),
  };

  test('find and change nothing of another owner', async () => {
    const { ada, eve } = scene;
    const mcp = await overHttp(scene.server, ada.token);
    const listed = (await mcp.client.listTools()).tools.map(({ name }) => name);
    expect(listed.sort()).toEqual(Object.keys(CALLS).sort());
    expect(tools.map(({ name }) => name).filter((name) => !listed.includes(name))).toEqual([
      'ask_permission',
    ]);
    const before = scene.rowsOfEve();
    for (const name of listed) {
      const { text, data, isError } = await mcp.call(name, CALLS[name]?.(eve.things));
      const asked = Object.values(CALLS[name]?.(eve.things) ?? {}).map(String);
      requireNoLeak(name, { status: 200, headers: {}, text: text + JSON.stringify(data) }, asked);
      if (name !== 'list_tasks' && name !== 'next_event') expect([name, isError]).toEqual([name, true]);
    }
    expect(scene.rowsOfEve()).toBe(before);
    const { data } = await mcp.call<{ tasks: { id: string }[] }>('list_tasks', { status: 'all' });
    expect(data.tasks.map(({ id }) => id)).toContain(ada.things.task);
    expect((await mcp.call('get_task', { task_id: ada.things.task })).isError).toBe(false);
  });

  test('take the scope tasks, and nothing from a token that has ended', async () => {
    const { ada, sandbox, server } = scene;
    const flags = ['--owner', ada.owner, '--scope', 'read'];
    const { id, token } = await tellJson<{ id: string; token: string }>(sandbox, 'token', 'create', ...flags);
    const mcp = await overHttp(server, token);
    expect((await mcp.call('get_task', { task_id: ada.things.waiting })).isError).toBe(false);
    const refused = await mcp.call('comment', { task_id: ada.things.waiting, text: 'x' });
    expect([refused.isError, refused.text]).toEqual([true, expect.stringContaining('lacks the scope tasks')]);
    await tellJson(sandbox, 'token', 'revoke', id);
    await expect(mcp.call('get_task', { task_id: ada.things.waiting })).rejects.toThrow();
  });
});

test('live events are the owner’s own, also those of before, and end with the token', async () => {
  const { ada, sandbox, server } = scene;
  const { id, token } = await tokenOf(sandbox, ada.owner, ['tasks']);
  const streams = await Promise.all(
    ['', `?after=${Date.now() - 3_600_000}`].map(async (query) => {
      const answer = await fetch(`${server.managementUrl}/api/events${query}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const seen = { text: JSON.stringify([...answer.headers]), isOver: false };
      void (async () => {
        for await (const part of answer.body ?? []) seen.text += Buffer.from(part).toString('utf8');
      })().finally(() => {
        seen.isOver = true;
      });
      return seen;
    }),
  );
  await scene.moreOfEve();
  const made = await scene.as(token, 'POST', '/api/tasks', { prompt: 'mine', agent: 'idle' });
  const { id: task } = JSON.parse(made.text) as { id: string };
  await eventually('the own event', () => streams.every(({ text }) => text.includes(task)));
  expect(streams[1]?.text).toContain(ada.things.delivery);
  for (const { text } of streams) requireNoLeak('/api/events', { status: 200, headers: {}, text });
  await tellJson(sandbox, 'token', 'revoke', id);
  await eventually('the streams to end', () => streams.every(({ isOver }) => isOver));
});

describe('what is the owner’s own', () => {
  /** Those that take a thing away come last. */
  const order = ({ method, path }: Operation) => (method === 'delete' ? 10 - path.split('/').length : 0);
  const changes = operations
    .filter((each) => NEEDS[key(each)] !== 'operator')
    .toSorted((a, b) => order(a) - order(b));

  test.each(changes.map((each) => [key(each), NEEDS[key(each)] as Scope, each] as const))(
    '%s takes the scope %s, and no more',
    async (name, scope, operation) => {
      if (name === 'get /events') return;
      const { ada, as, sandbox, tokenFor } = scene;
      const others = (['read', 'webhooks', 'tasks'] as const).filter((each) => each !== scope);
      const exact =
        name === 'post /tokens/:id/revoke'
          ? await tokenOf(sandbox, ada.owner, [scope])
          : await tokenFor(scope);
      const lacking = await tokenFor(...others);
      const things = noun(operation) === 'tokens' ? { ...ada.things, token: exact.id } : ada.things;
      const [own = ''] = isNamed(operation) ? (NAMES[noun(operation)]?.(things) ?? []) : [''];
      const body =
        operation.method === 'get'
          ? undefined
          : (BODIES[name]?.(things)[0] ?? {
              ...operation.example,
              ...(name === 'post /tokens' && { owner: ada.owner }),
            });
      const ask = (token: string) =>
        as(token, operation.method.toUpperCase(), pathOf(operation, own, ada.things), body);
      if (scope !== 'read') {
        const refused = await ask(lacking.token);
        expect([refused.status, JSON.parse(refused.text)]).toMatchObject([
          403,
          { code: 'scope', detail: expect.stringContaining(`scope ${scope}`) },
        ]);
      }
      const answer = await ask(exact.token);
      expect([name, answer.status, answer.text]).not.toEqual([
        name,
        expect.toBeOneOf([401, 403, 404, 500]),
        answer.text,
      ]);
      requireNoLeak(name, answer);
    },
  );

  test.each(Object.entries(NEEDS).filter(([, need]) => need === 'operator'))(
    '%s takes the operator’s token',
    async (name) => {
      const { ada, as } = scene;
      const operation = operations.find((each) => key(each) === name);
      if (operation === undefined) throw new Error(name);
      const path = pathOf(operation, 'nightly', ada.things);
      const answer = await as(
        ada.token,
        operation.method.toUpperCase(),
        path,
        operation.method === 'get' ? undefined : { ...operation.example },
      );
      expect([answer.status, JSON.parse(answer.text).code]).toEqual([403, 'operator_only']);
      requireNoLeak(name, answer);
    },
  );
});

test.each(['/readyz', '/hooks/claude/run-1', '/hooks/git/run-1'])(
  '%s opens for no token of an owner',
  async (path) => {
    const { status, text } = await scene.as(
      scene.ada.token,
      path.startsWith('/hooks') ? 'POST' : 'GET',
      path,
      {},
    );
    expect([status, JSON.parse(text).code]).toEqual([403, 'operator_only']);
  },
);
