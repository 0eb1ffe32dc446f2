import { describe, expect, test } from 'vitest';
import { alertmanager } from '../../src/providers/alertmanager/index.ts';
import { bitbucket } from '../../src/providers/bitbucket/index.ts';
import { discord } from '../../src/providers/discord/index.ts';
import { gitea } from '../../src/providers/gitea/index.ts';
import { github } from '../../src/providers/github/index.ts';
import { linear } from '../../src/providers/linear/index.ts';
import { pagerduty } from '../../src/providers/pagerduty/index.ts';
import { registry } from '../../src/providers/registry/index.ts';
import { shopify } from '../../src/providers/shopify/index.ts';
import { stripe } from '../../src/providers/stripe/index.ts';
import type { Headers, JsonObject, Provider } from '../../src/types.ts';
import {
  bytes,
  hmac,
  json,
  keysOf,
  NOW,
  onlyEvent,
  request,
  samplePayload,
  secretsOf,
  signed,
} from './support.ts';

const PRIVATE = `whsk_${Buffer.alloc(32, 7).toString('base64')}`;

function incoming(provider: Provider, type: string, change: JsonObject = {}, text = '@agent fix it') {
  const payload = { ...samplePayload(provider, type, text), ...change };
  return signed(provider, json(payload), { type, secret: provider === discord ? PRIVATE : 's3cret' });
}
const parsed = (...args: Parameters<typeof incoming>) => args[0].parse(incoming(...args));
const eventOf = (...args: Parameters<typeof incoming>) => onlyEvent(parsed(...args));
const within = (payload: JsonObject, key: string, change: JsonObject): JsonObject => ({
  [key]: { ...(payload[key] as JsonObject), ...change },
});

describe('Gitea', () => {
  const sample = samplePayload(gitea, 'issue_comment.created', '@agent fix it');

  test('is told apart from GitHub, whose headers it sends', () => {
    const ours = incoming(gitea, 'issue_comment.created');
    expect(ours.headers['x-github-event']).toBe('issue_comment');
    expect(onlyEvent(gitea.parse(ours)).externalId).toMatch(/^gitea:git\.example\.com\/acme\/web#\d+$/);
    const fromGithub = signed(github, json(sample), { type: 'issue_comment.created' });
    const verdict = gitea.verify(fromGithub, secretsOf('s3cret'), NOW.getTime());
    expect(verdict).toMatchObject({ ok: false, cause: 'signature_missing' });
    expect(gitea.parse(fromGithub)).toMatchObject({ ok: false });
  });

  test.each(['x-forgejo-signature', 'x-gitea-signature', 'x-gogs-signature'])('%s counts', (header) => {
    const signature = hmac('s3cret', JSON.stringify(sample)).digest('hex');
    const ok = (headers: Headers) => gitea.verify(request(json(sample), headers), secretsOf('s3cret'), 0).ok;
    expect([ok({ [header]: signature }), ok({ [header]: '' })]).toEqual([true, false]);
  });

  test('of a form the JSON is signed, not the form, unlike GitHub', () => {
    const text = JSON.stringify(sample);
    const form = bytes(`payload=${encodeURIComponent(text)}`);
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'x-gitea-event': 'issue_comment',
      'x-gitea-signature': hmac('s3cret', text).digest('hex'),
    };
    expect(gitea.verify(request(form, headers), secretsOf('s3cret'), 0).ok).toBe(true);
    expect(onlyEvent(gitea.parse(request(form, headers))).text).toBe('@agent fix it');
    const overForm = {
      ...headers,
      'x-gitea-signature': hmac('s3cret', Buffer.from(form).toString()).digest('hex'),
    };
    expect(gitea.verify(request(form, overForm), secretsOf('s3cret'), 0).ok).toBe(false);
  });

  test('the unsigned name of the event has to fit the payload', () => {
    const headers = { ...incoming(gitea, 'issue_comment.created').headers, 'x-gitea-event': 'issues' };
    expect(gitea.parse(request(json(sample), headers))).toEqual({
      ok: false,
      reason: 'the header says issues, but the payload has a `comment`',
    });
  });

  test.each([
    ['in a private repository', {}, 'member'],
    ['in a public one', { private: false }, null],
    ['the owner of a public one', { private: false, owner: { id: 7 } }, 'owner'],
  ])('who writes %s is %s', (_, change, association) => {
    const { sender } = eventOf(gitea, 'issue_comment.created', within(sample, 'repository', change));
    expect(sender).toMatchObject({ id: '7', name: 'ada', kind: 'person', association });
  });

  test('its own actors are no people', () => {
    const sender = { id: -2, login: 'gitea-actions' };
    expect(eventOf(gitea, 'push', { sender }).sender).toMatchObject({ kind: 'bot', appId: '-2' });
  });
});

describe('Bitbucket', () => {
  test('names pull requests and issues apart, and the host of a Server', () => {
    expect(eventOf(bitbucket, 'pullrequest:comment_created').externalId).toMatch(/^bitbucket:acme\/web!\d+$/);
    expect(eventOf(bitbucket, 'issue:comment_created').externalId).toMatch(/^bitbucket:acme\/web#\d+$/);
    const server = eventOf(bitbucket, 'pr:comment:added');
    expect(server.externalId).toMatch(/^bitbucket:bitbucket\.example\.com\/acme\/web!\d+$/);
    expect(server).toMatchObject({ text: '@agent fix it', sender: { id: '51', association: 'member' } });
  });

  test('an older Server does not tell its host: the webhook does', () => {
    const about = samplePayload(bitbucket, 'pr:comment:added');
    const change = within(about, 'pullRequest', { links: { self: [null] } });
    const options = { baseUrl: 'https://code.example.com/bitbucket' };
    const event = onlyEvent(
      bitbucket.parse(incoming(bitbucket, 'pr:comment:added', change), { commandPrefix: '@agent', options }),
    );
    expect(event.externalId).toMatch(/^bitbucket:code\.example\.com\/acme\/web!\d+$/);
  });

  test('an edit is one; apps and strangers in public repositories have no association', () => {
    const type = 'pullrequest:comment_updated';
    expect(eventOf(bitbucket, type)).toMatchObject({ textOrigin: 'edited', text: '@agent fix it' });
    const sample = samplePayload(bitbucket, type);
    const open = within(sample, 'repository', { is_private: false });
    expect(eventOf(bitbucket, type, open).sender).toMatchObject({ kind: 'person', association: null });
    const app = within(sample, 'actor', { type: 'app_user' });
    expect(eventOf(bitbucket, type, app).sender).toMatchObject({ kind: 'bot', association: null });
  });

  test('the unsigned name of the event has to fit the payload', () => {
    const body = json(samplePayload(bitbucket, 'pullrequest:comment_created'));
    expect(bitbucket.parse(request(body, { 'x-event-key': 'pullrequest:created' })).ok).toBe(false);
    expect(bitbucket.parse(request(json({ test: true }), { 'x-event-key': 'diagnostics:ping' })).ok).toBe(
      true,
    );
  });
});

describe('Linear', () => {
  const sample = samplePayload(linear, 'Comment.create');

  test('gets exactly a 200', () => {
    const comment = incoming(linear, 'Comment.create');
    expect(linear.acknowledge?.(comment, linear.parse(comment))).toMatchObject({ status: 200 });
  });

  test('a comment and its issue are one subject, also where only the link tells it', () => {
    const { externalId } = eventOf(linear, 'Comment.create');
    expect(externalId).toMatch(/^linear:acme\/ENG-\d+$/);
    const bare = within(sample, 'data', { issue: undefined });
    expect(eventOf(linear, 'Comment.create', bare).externalId).toBe(externalId);
    expect(eventOf(linear, 'Comment.create', { ...bare, url: 'x' }).externalId).toMatch(/^linear:2174add1-/);
  });

  test('a retry is signed anew, and is the same delivery all the same', () => {
    const again = { webhookTimestamp: NOW.getTime() + 66_000 };
    const keys = keysOf(parsed(linear, 'Comment.create'));
    expect(keysOf(parsed(linear, 'Comment.create', again))).toContain(keys[0]);
  });

  test('what changes something else than the text says nothing', () => {
    expect(eventOf(linear, 'Issue.update').text).toBeNull();
    expect(eventOf(linear, 'Comment.update')).toMatchObject({ textOrigin: 'edited', text: '@agent fix it' });
  });

  test.each<readonly [string, JsonObject, object | null]>([
    ['a member', {}, { kind: 'person', association: 'user', appId: null }],
    [
      'an application',
      { actor: { id: 'a1', name: 'CI', type: 'oauthClient' } },
      { kind: 'bot', appId: 'a1' },
    ],
    [
      'an integration',
      { actor: { id: 'i1', service: 'slack' } },
      { kind: 'bot', name: 'slack', appId: 'i1' },
    ],
    ['a kind that is not known', { actor: { id: 'x', name: 'X', type: 'new' } }, { association: null }],
    ['somebody from outside', within(sample, 'data', { externalUserId: 'e1' }), { association: null }],
    ['nobody', { actor: null }, null],
  ])('%s', (_, change, expected) => {
    const { sender } = eventOf(linear, 'Comment.create', change);
    if (expected === null) expect(sender).toBeNull();
    else expect(sender).toMatchObject(expected);
  });
});

describe('Discord', () => {
  const answer = (type: string, change: JsonObject = {}) => {
    const said = incoming(discord, type, change);
    const ack = discord.acknowledge?.(said, discord.parse(said));
    return ack === null || ack === undefined ? ack : [ack.status, JSON.parse(ack.body)];
  };

  test('a ping gets its pong, a command "thinking …", a button nothing to see', () => {
    expect(answer('ping')).toEqual([200, { type: 1 }]);
    expect(answer('application_command')).toEqual([200, { type: 5 }]);
    expect(answer('modal_submit')).toEqual([200, { type: 5 }]);
    expect(answer('message_component')).toEqual([200, { type: 6 }]);
    expect(answer('application_command', { type: 4 })).toEqual([200, { type: 8, data: { choices: [] } }]);
    expect(answer('ping', { type: 99 })).toBeNull();
  });

  test.each([
    [
      'the command that is the prefix',
      { name: 'agent', options: [{ name: 'p', value: 'fix it' }] },
      '@agent fix it',
    ],
    ['a command of its own', { name: 'fix', options: [{ name: 'what', value: 'it' }] }, '@agent fix it'],
    [
      'a subcommand',
      { name: 'agent', options: [{ name: 'fix', type: 1, options: [{ name: 'n', value: 7 }] }] },
      '@agent fix 7',
    ],
    ['no options', { name: 'agent' }, '@agent'],
  ])('%s is what was said', (_, data, text) => {
    expect(eventOf(discord, 'application_command', { data }).text).toBe(text);
  });

  test('a member is one of that server only, and no one may command by default', () => {
    expect(eventOf(discord, 'application_command').sender).toMatchObject({
      id: '53908232506183680',
      kind: 'person',
      association: 'guild:290926798626357999',
    });
    const direct = { member: undefined, guild_id: undefined, user: { id: '1', username: 'bob' } };
    expect(eventOf(discord, 'application_command', direct).sender).toMatchObject({
      name: 'bob',
      association: null,
    });
    expect(discord.defaultAssociations).toEqual([]);
  });
});

describe('alerts', () => {
  const group = samplePayload(alertmanager, 'alert.firing');
  const [first] = group.alerts as readonly JsonObject[];
  const second = { ...first, fingerprint: 'ffff000000000002' };
  const both = { alerts: [first ?? {}, second] };

  test('each alert of an envelope is an event of its own', () => {
    const result = parsed(alertmanager, 'alert.firing', both);
    const events = result.ok ? result.events : [];
    expect(events.map(({ externalId }) => externalId)).toEqual([
      `alertmanager:alertmanager.example.com:9093/${first?.fingerprint}`,
      'alertmanager:alertmanager.example.com:9093/ffff000000000002',
    ]);
    expect(events[1]?.payload).toMatchObject({ labels: first?.labels, group: { receiver: 'hookctl' } });
    expect(events[1]?.sender?.kind).toBe('system');
  });

  test('a repeat is the same fact until an alert comes, goes or starts anew', () => {
    const key = (change: JsonObject) => keysOf(parsed(alertmanager, 'alert.firing', change));
    expect(key({ ...both, truncatedAlerts: 3 })).toEqual(key(both));
    expect(key({ alerts: [second, first ?? {}] })).toEqual(key(both));
    const states = [
      {},
      both,
      { alerts: [{ ...first, status: 'resolved' }] },
      { alerts: [{ ...first, startsAt: NOW.toISOString() }] },
      { groupKey: 'another' },
    ].map((change) => key(change).join());
    expect(new Set(states).size).toBe(states.length);
  });
});

describe('a registry', () => {
  test('gets a 200 for whatever it sends, or it would send it for ever', () => {
    for (const body of ['{"events":[]}', '{"events":1}', '{}', 'junk', '']) {
      const said = request(bytes(body), { authorization: 'Bearer s3cret' });
      expect(registry.acknowledge?.(said, registry.parse(said))).toMatchObject({ status: 200 });
    }
  });

  test('each event of an envelope is its own; the same envelope again is the same', () => {
    const [push] = samplePayload(registry, 'push').events as readonly JsonObject[];
    const [deleted] = samplePayload(registry, 'delete').events as readonly JsonObject[];
    const result = parsed(registry, 'push', { events: [push ?? {}, deleted ?? {}] });
    expect(result.ok && result.events.map(({ type, externalId }) => [type, externalId])).toEqual([
      ['push', 'registry:registry.example.com:5000/acme/web:1.4.2'],
      ['delete', expect.stringMatching(/^registry:registry\.example\.com:5000\/acme\/web@sha256:\d/)],
    ]);
    expect(keysOf(result)).toEqual(keysOf(parsed(registry, 'push', { events: [push ?? {}, deleted ?? {}] })));
    expect(keysOf(result)).not.toEqual(keysOf(parsed(registry, 'push')));
  });

  test.each([
    ['a layer', { mediaType: 'application/octet-stream' }, 'push', 'blob.push'],
    [
      'the configuration',
      { mediaType: 'application/vnd.docker.container.image.v1+json' },
      'push',
      'blob.push',
    ],
    ['a layer of another repository', { mediaType: 'application/octet-stream' }, 'mount', 'blob.mount'],
    [
      'the manifest of one platform',
      { mediaType: 'application/vnd.oci.image.manifest.v1+json' },
      'push',
      'manifest.push',
    ],
    ['an index', { mediaType: 'application/vnd.oci.image.index.v1+json' }, 'push', 'manifest.push'],
    [
      'an index with a tag',
      { mediaType: 'application/vnd.oci.image.index.v1+json', tag: '1' },
      'push',
      'push',
    ],
    ['an artifact with a tag', { mediaType: 'application/vnd.acme.chart', tag: '1' }, 'push', 'push'],
    ['a digest that was deleted', {}, 'delete', 'delete'],
    ['a tag that was deleted', { tag: '1' }, 'delete', 'delete'],
  ])('F19: %s is told apart from the push of a tag', (_, about, action, type) => {
    const target = { repository: 'acme/web', digest: 'sha256:1', ...about };
    const events = [{ id: '1', action, target }];
    expect(eventOf(registry, 'push', { events }).type).toBe(type);
  });
});

describe('PagerDuty', () => {
  test('a note is what a person wrote on the incident', () => {
    expect(eventOf(pagerduty, 'incident.annotated')).toMatchObject({
      externalId: expect.stringMatching(/^pagerduty:P\w+$/),
      text: '@agent fix it',
      sender: { id: 'PLH1HKV', kind: 'person', association: 'user' },
    });
  });

  test('what an integration triggers, no person did; a kind that is not known is not trusted', () => {
    expect(eventOf(pagerduty, 'incident.triggered').sender?.kind).toBe('system');
    const sample = samplePayload(pagerduty, 'incident.triggered');
    const by = (type: string) =>
      eventOf(pagerduty, 'incident.triggered', within(sample, 'event', { agent: { id: 'P1', type } })).sender;
    expect(by('generic_events_api_inbound_integration')?.kind).toBe('system');
    expect(by('something_new')).toMatchObject({ kind: 'person', association: null });
  });
});

test('Stripe: an event is about its object, also a thin one, and has its id', () => {
  const result = parsed(stripe, 'invoice.payment_failed', { id: 'evt_1' });
  expect(onlyEvent(result).externalId).toMatch(/^stripe:in_/);
  expect(keysOf(result)).toEqual(['event:evt_1']);
  const thin = {
    object: 'v2.core.event',
    data: undefined,
    related_object: { id: 'mtr_1', type: 'billing.meter' },
  };
  expect(eventOf(stripe, 'invoice.payment_failed', thin).externalId).toBe('stripe:mtr_1');
});

test('Shopify: ids that no number can hold are read as text, and a topic has to be one', () => {
  const order = { id: 1, admin_graphql_api_id: 'gid://shopify/Order/820982911946154508' };
  expect(eventOf(shopify, 'orders/create', order)).toMatchObject({
    type: 'orders/create',
    externalId: 'shopify:acme.myshopify.com/order/820982911946154508',
  });
  expect(shopify.parse(request(json(order), { 'x-shopify-topic': '../x' })).ok).toBe(false);
});
