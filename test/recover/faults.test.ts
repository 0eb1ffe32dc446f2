import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/types.ts';
import type { Fault } from '../support/hook-apis/loopback.ts';
import { HOUR, iso, senderScene } from './sender-scene.ts';

/** A log that says nothing new, of each sender that is read; `site` where its API is another than Data Center's. */
const LOGS: Readonly<
  Record<string, { readonly json: (path: string) => JsonObject | JsonObject[]; readonly site?: string }>
> = {
  gitlab: { json: () => [] },
  stripe: { json: () => ({ data: [], has_more: false }) },
  jira: { json: () => ({ issues: [] }), site: 'https://acme.atlassian.net' },
  'jira (Data Center)': { json: () => ({ issues: [], total: 0 }) },
  linear: {
    json: () => ({
      data: { comments: { nodes: [], pageInfo: {} }, issues: { nodes: [], pageInfo: {} } },
    }),
  },
  sentry: { json: () => [] },
  slack: {
    json: (path) => (path === '/auth.test' ? { ok: true, user_id: 'U' } : { ok: true, channels: [] }),
  },
};
const FAULTS: readonly (readonly [fault: Fault, told: RegExp | null])[] = [
  [{ status: 401 }, /401/],
  [{ status: 403 }, /403/],
  [{ status: 404 }, /404/],
  [{ status: 429, headers: { 'retry-after': '1' } }, null],
  [{ status: 429, headers: { 'retry-after': '3600' } }, /limit|429/],
  [{ status: 500 }, null],
  [{ cut: 'half' }, null],
  [{ cut: 'reset' }, null],
  [{ status: 502, body: '<html>Bad gateway</html>', headers: { 'content-type': 'text/html' } }, null],
];

/** Senders without a webhook of their own have one in the database. */
const IN_DATABASE = ['stripe', 'linear'];

function webhooksOf(connector: string): string {
  if (IN_DATABASE.includes(connector)) return '{}';
  return connector === 'sentry' ? '{ sentry: {} }' : `{ ${connector}: { commands: [{ name: analyze }] } }`;
}

function databaseOf(connector: string): JsonObject | null {
  if (!IN_DATABASE.includes(connector)) return null;
  return {
    ...{ webhook_id: `wh-${connector}`, provider: connector, name: connector, secret: 's' },
    ...{ endpoint: `/webhooks/${connector}/wh-${connector}`, created_at: iso(HOUR), updated_at: iso(HOUR) },
    commands: [{ id: 'cmd-1', trigger: 'invoice.paid' }],
  };
}

test('six kinds of faults at the log of each sender: waited for, or said with what to do; the next sweep goes on', async () => {
  const scenes = Object.entries(LOGS).map(async ([name, { json, site }]) => {
    const [connector = name] = name.split(' ');
    const scene = await senderScene(
      connector,
      {
        kind: connector === 'jira' ? 'project' : 'any',
        target: 'PROJ',
        events: ['comment_created', 'app_mention'],
      },
      ({ path }) => ({ status: 200, json: json(path) }),
      webhooksOf(connector),
      databaseOf(connector),
      site,
    );
    for (const [fault, told] of FAULTS) {
      scene.api.failNext(fault);
      const { problem, fix, through, startedAt } = await scene.sweep();
      const what = `${name} ${JSON.stringify(fault)}`;
      if (told === null) {
        expect(problem, what).toBeNull();
        expect(through, what).toBeGreaterThan(startedAt - 2_000);
      } else {
        expect(`${problem}`, what).toMatch(told);
        expect(fix, what).toEqual(expect.any(String));
      }
    }
    expect((await scene.sweep()).problem).toBeNull();
    return name;
  });
  expect(await Promise.all(scenes)).toEqual(Object.keys(LOGS));
});
