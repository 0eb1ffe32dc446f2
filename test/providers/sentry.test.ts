import { describe, expect, test } from 'vitest';
import { sentry } from '../../src/providers/sentry/index.ts';
import type { JsonObject } from '../../src/types.ts';
import { bytes, hmac, json, keysOf, onlyEvent, request, samplePayload, secretsOf } from './support.ts';

const parse = (resource: string, payload: unknown, options: JsonObject = {}) =>
  sentry.parse(request(json(payload), { 'sentry-hook-resource': resource }), {
    commandPrefix: '@agent',
    options,
  });
const event = (resource: string, payload: unknown, options?: JsonObject) =>
  onlyEvent(parse(resource, payload, options));
const sample = (type: string) => samplePayload(sentry, type);

describe('signatures', () => {
  const body = '{"title":"caf\\u00e9","rate":1.0}';
  const digest = (text: string) => hmac('s3cret', text).digest('hex');
  test('are those of the raw bytes, which a parsed and re-serialised body no longer has', () => {
    const incoming = (text: string) => request(bytes(text), { 'sentry-hook-signature': digest(body) });
    expect(sentry.verify(incoming(body), secretsOf('s3cret'), 0).ok).toBe(true);
    expect(sentry.verify(incoming(JSON.stringify(JSON.parse(body))), secretsOf('s3cret'), 0).ok).toBe(false);
  });

  test('of UI components stand in the other header, also over an empty body', () => {
    for (const text of [body, '']) {
      const incoming = request(bytes(text), { 'sentry-app-signature': digest(text) });
      expect(sentry.verify(incoming, secretsOf('s3cret'), 0).ok).toBe(true);
    }
  });
});

describe('an empty body', () => {
  test('is read, and whatever its headers say it is no event that runs a command', () => {
    for (const resource of ['issue', 'event_alert', undefined]) {
      const headers = resource === undefined ? {} : { 'sentry-hook-resource': resource };
      const empty = onlyEvent(
        sentry.parse(request(bytes(''), { 'content-type': 'application/json', ...headers })),
      );
      expect(empty).toMatchObject({ type: 'empty', externalId: null, sender: null, text: null });
      expect(sentry.webhook?.events).not.toContain(empty.type);
    }
  });
});

describe('the external id', () => {
  test('is the issue, from every event about it', () => {
    const issue = sample('issue.created');
    const { id } = (issue.data as { issue: { id: string } }).issue;
    expect(event('issue', issue)).toMatchObject({
      externalId: `sentry:${id}`,
      title: expect.stringContaining('TypeError'),
    });
    const comment = sample('comment.created');
    expect(
      event('comment', { ...comment, data: { ...(comment.data as JsonObject), issue_id: Number(id) } })
        .externalId,
    ).toBe(`sentry:${id}`);
    const alert = {
      action: 'triggered',
      data: { event: { issue_id: id, web_url: 'https://sentry.io/x' }, triggered_rule: 'r' },
    };
    expect(event('event_alert', alert).externalId).toBe(`sentry:${id}`);
  });

  test('of a metric alert cannot be taken for an issue', () => {
    expect(event('metric_alert', sample('metric_alert.critical')).externalId).toMatch(
      /^sentry:metric_alert:\d+$/,
    );
  });

  test('names a host of one’s own, which comments know from the webhook alone', () => {
    const issue = {
      action: 'created',
      data: { issue: { id: '7', web_url: 'https://sentry.example.com/issues/7/' } },
    };
    expect(event('issue', issue).externalId).toBe('sentry:sentry.example.com/7');
    const comment = { action: 'created', data: { comment: 'x', comment_id: 1, issue_id: 7 } };
    expect(event('comment', comment, { baseUrl: 'https://sentry.example.com' }).externalId).toBe(
      'sentry:sentry.example.com/7',
    );
    expect(event('comment', comment, { baseUrl: 'https://de.sentry.io' }).externalId).toBe('sentry:7');
  });
});

describe('the sender', () => {
  const by = (actor: JsonObject | undefined, type = 'comment.created') =>
    event(type.split('.')[0] ?? '', { ...sample(type), actor }).sender;
  test.each([
    [
      'a user',
      { type: 'user', id: 789, name: 'Ada' },
      { id: '789', kind: 'person', association: 'member', appId: null },
    ],
    [
      'Sentry itself',
      { type: 'application', id: 'sentry', name: 'Sentry' },
      { id: 'sentry', kind: 'system', appId: null },
    ],
    [
      'an app, ours included',
      { type: 'application', id: 'f0-11', name: 'hookctl' },
      { id: 'f0-11', kind: 'bot', appId: 'f0-11' },
    ],
    ['something new', { type: 'robot', id: '1', name: 'x' }, { kind: 'bot' }],
  ])('%s', (_, actor, expected) => expect(by(actor)).toMatchObject(expected));

  test('is Sentry where nobody is named and nobody could be, else unknown', () => {
    expect(by(undefined, 'event_alert.triggered')).toMatchObject({ kind: 'system' });
    expect(by(undefined)).toBeNull();
  });
});

test('comments speak, nothing else does', () => {
  const text = Object.fromEntries(
    sentry.samples.map(({ type }) => [type, event(type.split('.')[0] ?? '', sample(type)).text]),
  );
  expect(Object.entries(text).filter(([, value]) => value !== null)).toEqual([
    ['comment.created', '@agent analyze'],
    ['comment.updated', '@agent analyze'],
  ]);
  expect(event('comment', sample('comment.updated')).textOrigin).toBe('edited');
});

describe('what is not signed is not believed', () => {
  test.each(['issue', 'event_alert', 'metric_alert', 'error', 'installation'])(
    'a comment is no %s',
    (resource) => {
      expect(parse(resource, sample('comment.created')).ok).toBe(false);
    },
  );

  test('what happens once is known again under another Request-ID; what may happen again is not', () => {
    const keys = (type: string) => keysOf(parse(type.split('.')[0] ?? '', sample(type)));
    expect(keys('issue.created')).toEqual([expect.stringMatching(/^issue\.created:\d+$/)]);
    expect(keys('comment.created')).toHaveLength(1);
    expect(keys('event_alert.triggered')).toEqual([expect.stringContaining(':Many errors')]);
    expect(keys('issue.resolved')).toEqual([]);
  });
});

test('new resources and requests of UI components are read', () => {
  expect(event('preprod_artifact', { action: 'size_analysis_completed' })).toMatchObject({
    type: 'preprod_artifact.size_analysis_completed',
  });
  expect(onlyEvent(sentry.parse(request(json({ fields: {}, issueId: 1 }))))).toMatchObject({
    type: 'app_request',
    sender: null,
  });
});
