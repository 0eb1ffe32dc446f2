import { beforeAll, describe, expect, test } from 'vitest';
import { operations } from '../../src/server/openapi/operations.ts';
import { apiOver } from '../support/api.ts';
import { cli } from '../support/cli.ts';
import { startEngine } from '../support/engine.ts';
import { comment, signedPost } from '../support/github.ts';
import { ask, expectJson } from '../support/management.ts';
import { type Server, settled } from '../support/server.ts';
import { serverOfSuite } from '../support/suite.ts';

interface Described {
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example: object }>> };
  readonly responses: Readonly<Record<string, object>>;
  readonly 'x-codeSamples': readonly object[];
  readonly operationId: string;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
}

const suite = serverOfSuite();
let server: Server;
let document: Document;
beforeAll(async () => {
  server = suite().server;
  document = await expectJson<Document>(200, server, 'GET', '/api/openapi.json');
});

describe('the OpenAPI document', () => {
  test('has every route of the API, and none that is not there', async () => {
    const engine = await startEngine();
    const api = apiOver(engine);
    const served = [
      '/status',
      '/events',
      '/webhooks',
      '/github-apps',
      '/runs',
      '/spend',
      '/stats',
      '/budgets',
      '/traffic',
    ];
    const routes = api.routes
      .filter(({ method, path }) => method !== 'ALL' && path !== '/api/*')
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replace('/api', '')}`);
    const described = operations.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(described).size).toBe(described.length);
    expect(routes.filter((route) => !described.includes(route))).toEqual([]);
    const isServed = (route: string) => served.some((path) => route.split(' ')[1]?.startsWith(path));
    expect(described.filter((route) => !routes.includes(route) && !isServed(route))).toEqual([]);
  });

  test('each operation has an example, an id of its own, its refusals and its parameters', () => {
    expect(document.openapi).toBe('3.1.1');
    const all = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, ...operation })),
    );
    expect(all).toHaveLength(operations.length);
    expect(new Set(all.map(({ operationId }) => operationId)).size).toBe(all.length);
    for (const { path, parameters, responses, 'x-codeSamples': samples } of all) {
      expect(samples).toHaveLength(1);
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['400', '401', '403', '500']));
      const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
      expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    }
    const makesTasks = document.paths['/api/tasks']?.post?.requestBody?.content['application/json'];
    expect(makesTasks?.example).toMatchObject({ prompt: 'Find out why the login fails' });
  });

  test('`hookctl api --spec` prints the same without a server', async () => {
    const { stdout, code } = await cli(server.sandbox, 'api', '--spec');
    expect([code, JSON.parse(stdout)]).toEqual([0, document]);
    expect((await cli(server.sandbox, 'api')).code).toBe(2);
  });

  test('every list and record of the API is as it says', async () => {
    const { id } = await signedPost(server.url, comment('@agent analyze this'));
    await settled(server.sandbox, id);
    const { items } = await expectJson<{ items: { id: string; flow_id: string; conversation_id: string }[] }>(
      200,
      server,
      'GET',
      '/api/tasks',
    );
    const ids: Record<string, string> = {
      deliveries: id,
      tasks: items[0]?.id ?? '',
      flows: items[0]?.flow_id ?? '',
      conversations: items[0]?.conversation_id ?? '',
      webhooks: 'github',
    };
    const since = `since=${new Date(0).toISOString()}`;
    const asked: string[] = [];
    for (const { method, path, query } of operations) {
      const noun = path.split('/')[1] ?? '';
      if (method !== 'get' || path === '/events' || (path.includes(':') && ids[noun] === undefined)) continue;
      const named = path.replace(':id', ids[noun] ?? '');
      const mustName = query !== undefined && !query.safeParse({}).success;
      const { status } = await ask(server, 'GET', `/api${named}${mustName ? `?${since}` : ''}`);
      if (status === 200) asked.push(path);
    }
    expect(asked.length).toBeGreaterThan(25);
  });
});
