import { createHmac, randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { secret } from '../../src/lib/redact/redact.ts';
import type { JsonObject } from '../../src/types.ts';
import { samplePayload } from '../providers/support.ts';
import { openDoor, workedOff } from '../support/door.ts';
import { startEngine } from '../support/engine.ts';
import { merged } from '../support/merged.ts';
import { providerNamed } from '../support/providers.ts';

const AT = '2026-01-01T10:00:00.000+0000';
const author = { key: 'ada', name: 'ada', displayName: 'Ada' };
const comment = (id: string) => ({
  self: `https://jira.acme.example/rest/api/2/issue/10/comment/${id}`,
  ...{ id, body: '@agent analyze it', author, updateAuthor: author, created: AT, updated: AT },
});
/** What Data Center sends for one comment: without its issue, and with it. */
const bare = (id: string) => ({ timestamp: 1, webhookEvent: 'comment_created', comment: comment(id) });
const whole = (id: string) => ({
  timestamp: 2,
  webhookEvent: 'jira:issue_updated',
  issue_event_type_name: 'issue_commented',
  user: author,
  comment: comment(id),
  issue: {
    id: `10${id}`,
    self: `https://jira.acme.example/rest/api/2/issue/10${id}`,
    key: `OPS-${id}`,
    fields: { summary: 'The pump stops', project: { key: 'OPS' } },
  },
});

const message = (team: string, event: JsonObject) => ({
  ...{ type: 'event_callback', event_id: `Ev${randomUUID()}`, team_id: team, is_ext_shared_channel: true },
  authorizations: [{ team_id: team, user_id: 'U0BOT', is_bot: true }],
  event: { user: 'U1', text: '<@U0BOT> analyze', channel: 'C0SHARED', user_team: 'T0HOME', ...event },
});
const mention = (ts: string) => message('T0OTHER', { type: 'app_mention', ts });
const said = (ts: string) => message('T0HOME', { type: 'message', channel_type: 'channel', ts });

describe('one act that two requests tell of', () => {
  const yaml = 'webhooks:\n  jira: { allow: { users: [ada] } }\n  slack: { allow: { users: [U1] } }\n';
  const send = async (engine: Awaited<ReturnType<typeof startEngine>>, url: string, payload: JsonObject) => {
    const isSlack = payload.type === 'event_callback';
    const body = JSON.stringify(payload);
    const time = String(Math.floor(Date.now() / 1000));
    const hmac = (secret: string, text: string) => createHmac('sha256', secret).update(text).digest('hex');
    const answer = await fetch(`${url}/webhooks/${isSlack ? 'slack' : 'jira'}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(isSlack
          ? {
              'x-slack-request-timestamp': time,
              'x-slack-signature': `v0=${hmac('c', `v0:${time}:${body}`)}`,
            }
          : {
              'x-hub-signature': `sha256=${hmac('b', body)}`,
              'x-atlassian-webhook-identifier': randomUUID(),
            }),
      },
      body,
    });
    return workedOff(engine, answer.headers.get('x-hookctl-delivery') ?? '');
  };

  test.each([
    ['C2: Data Center, the request without its issue first', [bare('1'), whole('1')], 'OPS-1'],
    ['C2: Data Center, the request with its issue first', [whole('2'), bare('2')], 'OPS-2'],
    ['C2: Data Center, each sent twice', [bare('3'), whole('3'), bare('3'), whole('3')], 'OPS-3'],
    ['C3: Slack Connect, the mention first', [mention('1.2'), said('1.2')], 'C0SHARED'],
    ['C3: Slack Connect, the message first', [said('1.3'), mention('1.3')], 'C0SHARED'],
  ])('%s: one task that names its place', async (_, payloads, place) => {
    const engine = await startEngine({ yaml });
    const url = await openDoor(engine);
    for (const payload of payloads) await send(engine, url, payload);
    const tasks = engine.context.store.tasks({});
    expect(tasks).toHaveLength(1);
    const [task] = tasks;
    expect(`${task?.externalId} ${task?.url}`).toContain(place);
    if (place.startsWith('OPS')) {
      expect(JSON.stringify(task)).toContain('The pump stops');
      expect(task?.url).toContain(`https://jira.acme.example/browse/${place}`);
    }
  });
});

const providerOf = (name: string) => {
  const provider = providerNamed(name);
  if (provider === null) throw new Error(`no ${name}`);
  return provider;
};

const pair = (
  provider: string,
  types: readonly [string, string],
  share: (first: JsonObject) => JsonObject,
) => {
  const [first, second] = types.map((type) => samplePayload(providerOf(provider), type, '@agent analyze it'));
  if (first === undefined || second === undefined) throw new Error(`no samples of ${provider}`);
  return [first, merged(second, share(first))] as const;
};

test.each([
  {
    name: 'F12: Linear, a comment and the session that it opens: one task',
    ...({ provider: 'linear', types: ['Comment.create', 'AgentSessionEvent.created'], tasks: 1 } as const),
    share: ({ data }: JsonObject) => ({ agentSession: { comment: { id: (data as JsonObject).id ?? '' } } }),
  },
  {
    name: 'F12: Linear, a session whose comment is another: two tasks',
    ...({ provider: 'linear', types: ['Comment.create', 'AgentSessionEvent.created'], tasks: 2 } as const),
    share: () => ({ agentSession: { comment: { id: 'another' } } }),
  },
  {
    name: 'F12: Bitbucket, comments on a pull request and on an issue, numbered alike: two tasks',
    ...({
      provider: 'bitbucket',
      types: ['pullrequest:comment_created', 'issue:comment_created'],
      tasks: 2,
    } as const),
    share: ({ comment: { id } }: JsonObject & { comment: JsonObject }) => ({ comment: { id } }),
  },
])('$name', async ({ provider, types, tasks, share }) => {
  const at = '2026-01-01T00:00:00Z';
  const webhook = {
    ...{
      webhook_id: 'wh-1',
      provider,
      name: 'one',
      endpoint: `/webhooks/${provider}/wh-1`,
      secret: 'secret',
    },
    ...{ commands: [{ id: 'cmd-1', name: 'analyze' }], created_at: at, updated_at: at },
  };
  const engine = await startEngine({ db: JSON.stringify({ schema_version: 1, webhooks: [webhook] }) });
  const url = await openDoor(engine);
  const signing = { secret: secret('secret'), now: new Date() };
  for (const [index, payload] of pair(
    provider,
    types,
    share as (first: JsonObject) => JsonObject,
  ).entries()) {
    const now = { ...payload, ...(provider === 'linear' && { webhookTimestamp: signing.now.getTime() }) };
    const { headers, body } = providerOf(provider).sign(Buffer.from(JSON.stringify(now)), {
      ...{ type: types[index] ?? '', deliveryId: randomUUID(), ...signing },
    });
    const answer = await fetch(url + webhook.endpoint, { method: 'POST', headers, body: Buffer.from(body) });
    await workedOff(engine, answer.headers.get('x-hookctl-delivery') ?? '');
  }
  expect(engine.context.store.tasks()).toHaveLength(tasks);
});
