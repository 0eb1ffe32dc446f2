import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/types.ts';
import { eventually } from '../support/eventually.ts';
import { HOUR, iso, senderScene } from './sender-scene.ts';

/** Posts as a sender does that signs. */
async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  payload: JsonObject,
): Promise<number> {
  const body = JSON.stringify(payload);
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return answer.status;
}

const note = (id: number, text: string, ago: number): JsonObject => ({
  object_kind: 'note',
  event_type: 'note',
  user: { id: 5, name: 'Ada', username: 'ada', email: '[REDACTED]' },
  project: { id: 9, path_with_namespace: 'acme/api', web_url: 'https://gitlab.com/acme/api' },
  object_attributes: {
    ...{ id, note: text, noteable_type: 'Issue', author_id: 5, action: 'create', system: false },
    ...{
      created_at: iso(ago),
      updated_at: iso(ago),
      url: `https://gitlab.com/acme/api/-/issues/3#note_${id}`,
    },
  },
  issue: { id: 30, iid: 3, title: 'Login fails', description: 'It does', state: 'opened' },
});

const GITLAB = '{ gitlab: { allow: { users: [5] }, commands: [{ name: analyze }] } }';

test('GitLab: its events are sent again to the URL to which they were sent; after it moved they are fetched', async () => {
  const headers = (key: string) => ({
    ...{ 'Content-Type': 'application/json', 'X-Gitlab-Event': 'Note Hook', 'Idempotency-Key': key },
    'X-Gitlab-Instance': 'https://gitlab.com',
  });
  const events = [1, 2, 3].map((id) => ({
    ...{ id, url: '', trigger: 'note_hooks', request_headers: headers(`key-${id}`), response_body: '' },
    ...{
      request_data: note(100 + id, '@agent analyze it', id * 60_000),
      response_status: id === 3 ? '200' : 'internal error',
    },
  }));
  const resent: string[] = [];
  const scene = await senderScene(
    'gitlab',
    { kind: 'project', target: 'acme/api', events: ['note_events'] },
    ({ method, path, query }, base) => {
      const [, again] =
        /^\/api\/v4\/projects\/acme%2Fapi\/hooks\/7\/events(?:\/(\d+)\/resend)?$/.exec(path) ?? [];
      if (method === 'POST' && again !== undefined) {
        const event = events.find(({ id }) => String(id) === again);
        resent.push(again);
        void post(
          scene.hookUrl,
          { ...headers(`key-${again}`), 'X-Gitlab-Token': 'e' },
          event?.request_data ?? {},
        );
        return { status: 201, json: {} };
      }
      if (!path.endsWith('/events')) return null;
      const page = Number(query.get('page') ?? 1);
      const link = `<${base}${path}?page=${page + 1}>; rel="next"`;
      return {
        status: 200,
        json: events.slice(page - 1, page),
        ...(page < events.length && { headers: { link } }),
      };
    },
    GITLAB,
  );
  Object.assign(events[0] ?? {}, { url: scene.hookUrl });
  Object.assign(events[1] ?? {}, { url: 'https://before.example/webhooks/gitlab' });
  expect(await scene.sweep()).toMatchObject({
    listed: 3,
    missing: 2,
    redelivered: 1,
    fetched: 1,
    problem: null,
  });
  expect(resent).toEqual(['1']);
  expect((await scene.came()).toSorted()).toEqual([
    'note.create fetched waiting_approval',
    'note.create verified queued',
  ]);
  expect(await scene.sweep()).toMatchObject({ missing: 0 });
});

test('Stripe: events that no endpoint took, of the types that this one is for; what came is known by its id', async () => {
  const event = (id: string, type: string) => ({
    ...{ id, object: 'event', type, created: Math.floor(Date.now() / 1000) - 60 },
    data: { object: { id: `in_${id}`, object: 'invoice' } },
  });
  const events = [
    event('evt_1', 'invoice.payment_failed'),
    event('evt_2', 'payout.paid'),
    event('evt_3', 'invoice.payment_failed'),
  ];
  const scene = await senderScene(
    'stripe',
    { kind: 'account', target: 'live', events: ['invoice.payment_failed'] },
    ({ path, query }) => {
      if (path !== '/v1/events' || query.get('delivery_success') !== 'false') return null;
      const after = events.findIndex(({ id }) => id === query.get('starting_after')) + 1;
      return {
        status: 200,
        json: { object: 'list', data: events.slice(after, after + 1), has_more: after + 1 < events.length },
      };
    },
    '{}',
    {
      ...{
        webhook_id: 'wh-stripe',
        provider: 'stripe',
        name: 'stripe',
        endpoint: '/webhooks/stripe/wh-stripe',
      },
      ...{ secret: 'whsec_x', created_at: iso(HOUR), updated_at: iso(HOUR) },
      commands: [{ id: 'cmd-1', trigger: 'invoice.payment_failed' }],
    },
  );
  expect(await scene.sweep(true)).toMatchObject({ listed: 2, missing: 2, fetched: 2, problem: null });
  // What waits is here.
  expect(await scene.sweep()).toMatchObject({ listed: 2, missing: 0, fetched: 0 });
  scene.engine.queue.recover();
  await scene.came();
  expect(await scene.sweep()).toMatchObject({ listed: 2, missing: 0, fetched: 0 });
  expect(await scene.came()).toEqual(Array(2).fill('invoice.payment_failed fetched waiting_approval'));
});

const ACCOUNT = { accountId: '5b10', displayName: 'Ada', accountType: 'atlassian' };
const doc = (text: string) => ({
  ...{ type: 'doc', version: 1 },
  content: [{ type: 'paragraph', content: [{ type: 'text', text }] }],
});

test('Jira: issues and comments that were made meanwhile; what came is known, also when nothing came of it', async () => {
  const self = 'https://acme.atlassian.net/rest/api/3/issue/10001';
  const written = (id: string, text: string, ago: number) => ({
    ...{ id, self: `${self}/comment/${id}`, author: ACCOUNT, updateAuthor: ACCOUNT, body: doc(text) },
    ...{ created: iso(ago), updated: iso(ago) },
  });
  const comments = [
    written('1', '@agent analyze it', HOUR),
    written('2', '@agent analyze it', HOUR / 2),
    written('3', 'thank you', HOUR / 3),
    written('4', '@agent old', 90 * HOUR),
  ];
  const fields = {
    ...{
      summary: 'Login fails',
      description: doc('It does'),
      created: iso(100 * HOUR),
      updated: iso(60_000),
    },
    ...{ creator: ACCOUNT, reporter: ACCOUNT, project: { key: 'PROJ', projectTypeKey: 'software' } },
  };
  const asked: URLSearchParams[] = [];
  const scene = await senderScene(
    'jira',
    { kind: 'project', target: 'PROJ', events: ['comment_created', 'jira:issue_created'] },
    ({ path, query }) => {
      if (path !== '/rest/api/3/search/jql') return null;
      asked.push(query);
      const isLast = query.get('nextPageToken') === 'two';
      const issue = { id: '10001', key: 'PROJ-1', self, fields: { ...fields, comment: { comments } } };
      const young = {
        id: '10002',
        key: 'PROJ-2',
        self: self.replace(/1$/, '2'),
        fields: { ...fields, created: iso(60_000) },
      };
      return { status: 200, json: isLast ? { issues: [young] } : { issues: [issue], nextPageToken: 'two' } };
    },
    '{ jira: { commands: [{ name: analyze }] } }',
    null,
    'https://acme.atlassian.net',
  );
  const issue = { id: '10001', key: 'PROJ-1', self, fields };
  const body = (comment: JsonObject) =>
    JSON.stringify({ timestamp: 1, webhookEvent: 'comment_created', comment, issue });
  const { createHmac } = await import('node:crypto');
  for (const at of [0, 2]) {
    const text = body(comments[at] ?? {});
    const headers = {
      'x-hub-signature': `sha256=${createHmac('sha256', 'b').update(text).digest('hex')}`,
      'x-atlassian-webhook-identifier': `of-jira-${at}`,
    };
    expect((await fetch(scene.hookUrl, { method: 'POST', headers, body: text })).status).toBe(202);
  }
  await eventually('both', async () => ((await scene.came()).length === 2 ? true : null));
  const report = await scene.sweep();
  expect(report).toMatchObject({
    missing: 2,
    fetched: 2,
    problem: null,
    untold: 'edits, moves and transitions',
  });
  expect(asked[0]?.get('jql')).toMatch(/^project = "PROJ" and updated >= "-\d+m" order by updated desc$/);
  expect(await scene.came()).toEqual([
    'comment_created verified queued',
    'comment_created verified',
    'comment_created fetched waiting_approval',
    'jira:issue_created fetched',
  ]);
  expect(await scene.sweep()).toMatchObject({ missing: 0 });
});

test('Jira Data Center: issues and comments by its older search, page after page', async () => {
  const person = { name: 'ada', key: 'JIRAUSER1', displayName: 'Ada' };
  const found = (id: number) => {
    const self = `https://jira.acme.example/rest/api/2/issue/${id}`;
    const comment = {
      ...{ id: `5${id}`, self: `${self}/comment/5${id}`, author: person, updateAuthor: person },
      ...{ body: '@agent analyze it', created: iso(60_000), updated: iso(60_000) },
    };
    const fields = {
      ...{ summary: 'Login fails', description: 'It does', created: iso(90 * HOUR), updated: iso(60_000) },
      ...{ creator: person, project: { key: 'PROJ' }, comment: { comments: [comment] } },
    };
    return { id: String(id), key: `PROJ-${id}`, self, fields };
  };
  const all = [found(1), found(2), found(3)];
  const scene = await senderScene(
    'jira',
    { kind: 'project', target: 'PROJ', events: ['comment_created'] },
    ({ path, query }) => {
      if (path !== '/rest/api/2/search') return null;
      const startAt = Number(query.get('startAt'));
      return { status: 200, json: { startAt, total: 3, issues: all.slice(startAt, startAt + 2) } };
    },
    '{ jira: { allow: { users: [JIRAUSER1] }, commands: [{ name: analyze }] } }',
  );
  expect(await scene.sweep()).toMatchObject({ missing: 3, fetched: 3, problem: null });
  expect(await scene.came()).toEqual(Array(3).fill('comment_created fetched waiting_approval'));
  expect(await scene.sweep()).toMatchObject({ missing: 0 });
});

test('Slack: what people said meanwhile to the app, in channels, threads and direct messages', async () => {
  const at = (ago: number) => ((Date.now() - ago) / 1000).toFixed(6);
  const parent = { ts: at(30 * HOUR), user: 'U1', text: 'old', latest_reply: at(60_000), reply_count: 1 };
  const said = [
    { ts: at(60_000), user: 'U1', text: '<@UBOT> analyze it' },
    { ts: at(50_000), user: 'U1', text: 'not for the app' },
    { ts: at(40_000), user: 'UBOT', text: '<@UBOT> its own' },
    { ts: at(30_000), user: 'U1', subtype: 'channel_join', text: '<@UBOT> joined' },
    parent,
  ];
  const reply = { ts: at(55_000), thread_ts: parent.ts, user: 'U1', text: '<@UBOT> analyze this thread' };
  const direct = { ts: at(20_000), user: 'U1', text: '@agent analyze the rest' };
  const limited = new Set<string>();
  const scene = await senderScene(
    'slack',
    { kind: 'manifest', target: 'hookctl', events: ['app_mention', 'message.im'] },
    ({ path, query, headers }) => {
      const ok = (json: JsonObject) => ({ status: 200, json: { ok: true, ...json } });
      if (headers.authorization !== 'Bearer a-token')
        return { status: 200, json: { ok: false, error: 'invalid_auth' } };
      if (path === '/auth.test') return ok({ team_id: 'T1', user_id: 'UBOT', app_id: 'A1' });
      if (path === '/users.conversations') {
        expect(query.get('types')).toBe('public_channel,private_channel,mpim,im');
        if (query.get('cursor') === null)
          return ok({
            channels: [{ id: 'C1', is_channel: true, is_private: false }],
            response_metadata: { next_cursor: 'two' },
          });
        return ok({ channels: [{ id: 'D1', is_im: true }], response_metadata: { next_cursor: '' } });
      }
      if (path === '/conversations.replies') return ok({ messages: [parent, reply] });
      if (path !== '/conversations.history') return null;
      if (!limited.has(query.get('channel') ?? '')) {
        limited.add(query.get('channel') ?? '');
        return { status: 429, json: { ok: false, error: 'ratelimited' }, headers: { 'retry-after': '1' } };
      }
      return ok({ messages: query.get('channel') === 'D1' ? [direct] : said });
    },
    '{ slack: { commands: [{ name: analyze }] } }',
  );
  expect(await scene.sweep()).toMatchObject({
    ...{ missing: 3, fetched: 3, problem: null },
    untold: expect.stringContaining('edits'),
  });
  expect((await scene.came()).toSorted()).toEqual([
    'app_mention fetched waiting_approval',
    'app_mention fetched waiting_approval',
    'message.im fetched waiting_approval',
  ]);
  expect(await scene.sweep()).toMatchObject({ missing: 0 });
});

test('Slack: a token that may not read says so in one line, with the scopes and the page', async () => {
  const scene = await senderScene(
    'slack',
    { kind: 'manifest', target: 'hookctl', events: ['app_mention'] },
    ({ path }) => ({
      status: 200,
      json: path === '/auth.test' ? { ok: true, user_id: 'UBOT' } : { ok: false, error: 'missing_scope' },
    }),
    '{ slack: { commands: [{ name: analyze }] } }',
  );
  expect(await scene.sweep()).toMatchObject({
    problem: expect.stringContaining('missing_scope'),
    fix: expect.stringContaining('channels:history'),
  });
});

test('Linear: comments and issues that were made meanwhile, each page of both', async () => {
  const user = { id: 'user-1', name: 'Ada' };
  const issue = {
    id: 'issue-1',
    identifier: 'ENG-1',
    title: 'Login fails',
    url: 'https://linear.app/acme/issue/ENG-1/x',
  };
  const written = (id: string, body: string) => ({
    ...{ id, body, url: `${issue.url}#${id}`, user, issue },
    createdAt: iso(60_000),
  });
  const scene = await senderScene(
    'linear',
    { kind: 'workspace', target: 'acme', events: ['Comment', 'Issue'] },
    ({ path, body }) => {
      if (path !== '/graphql') return null;
      const { query, variables } = body as {
        query: string;
        variables: { after: string | null; filter: JsonObject };
      };
      expect(String((variables.filter.createdAt as JsonObject).gte)).toMatch(/^-PT\d+M$/);
      if (query.includes('issues(')) {
        const nodes = [{ ...issue, description: 'It does', creator: user, createdAt: iso(60_000) }];
        return {
          status: 200,
          json: { data: { issues: { nodes, pageInfo: { hasNextPage: false, endCursor: null } } } },
        };
      }
      const isFirst = variables.after === null;
      const nodes = [isFirst ? written('c1', '@agent analyze it') : written('c2', 'thank you')];
      return {
        status: 200,
        json: { data: { comments: { nodes, pageInfo: { hasNextPage: isFirst, endCursor: 'two' } } } },
      };
    },
    '{}',
    {
      ...{
        webhook_id: 'wh-linear',
        provider: 'linear',
        name: 'linear',
        endpoint: '/webhooks/linear/wh-linear',
      },
      ...{ secret: 's', created_at: iso(HOUR), updated_at: iso(HOUR), allow: { users: ['user-1'] } },
      commands: [{ id: 'cmd-1', name: 'analyze' }],
    },
  );
  expect(await scene.sweep()).toMatchObject({ missing: 3, fetched: 3, problem: null });
  expect((await scene.came()).toSorted()).toEqual([
    'Comment.create fetched',
    'Comment.create fetched waiting_approval',
    'Issue.create fetched',
  ]);
  expect(await scene.sweep()).toMatchObject({ missing: 0 });
});

test('Sentry: issues that were new meanwhile', async () => {
  const found = {
    id: '77',
    shortId: 'API-1',
    title: 'TypeError',
    permalink: 'https://acme.sentry.io/issues/77/',
    firstSeen: iso(60_000),
  };
  const scene = await senderScene(
    'sentry',
    { kind: 'organisation', target: 'acme', events: ['issue'] },
    ({ path, query }, base) => {
      if (path !== '/api/0/organizations/acme/issues/') return null;
      const link = `<${base}${path}?cursor=2>; rel="next"; results="${query.has('cursor') ? 'false' : 'true'}"; cursor="2"`;
      return { status: 200, json: query.has('cursor') ? [] : [found], headers: { link } };
    },
    '{ sentry: {} }',
  );
  expect(await scene.sweep()).toMatchObject({ missing: 1, fetched: 1, problem: null });
  expect(await scene.came()).toEqual(['issue.created fetched waiting_approval']);
  expect(await scene.sweep()).toMatchObject({ missing: 0 });
});
