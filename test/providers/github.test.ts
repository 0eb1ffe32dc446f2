import { sign, verify } from '@octokit/webhooks-methods';
import { describe, expect, test } from 'vitest';
import { github } from '../../src/providers/github/index.ts';
import type { JsonObject } from '../../src/types.ts';
import { examples } from '../support/github.ts';
import { bytes, json, keysOf, NOW, onlyEvent, request, samplePayload, secretsOf, signed } from './support.ts';

const parse = (name: string, payload: unknown) =>
  github.parse(request(json(payload), { 'content-type': 'application/json', 'x-github-event': name }));
const event = (name: string, payload: unknown) => onlyEvent(parse(name, payload));
const comment = (change: JsonObject = {}): JsonObject => ({
  ...samplePayload(github, 'issue_comment.created'),
  ...change,
});

test.each([
  [
    "It's a Secret to Everybody",
    'Hello, World!',
    '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
  ],
  ['Convoy', 'Test Payload Body', 'd7a154547e7c35e31c4c820e20237650939c3d34dae136e30a7757ca61abb4cf'],
])('the published signature of %s verifies', (secret, body, digest) => {
  const incoming = request(bytes(body), { 'x-hub-signature-256': `sha256=${digest}` });
  expect(github.verify(incoming, secretsOf(secret), 0).ok).toBe(true);
  const { headers } = signed(github, bytes(body), { type: 'ping', secret });
  expect(headers['x-hub-signature-256']).toBe(`sha256=${digest}`);
});

test('signatures agree with those of Octokit, both ways', async () => {
  for (const text of ['{}', '{"a":"é\\u001b"}', '{"a": 1.0}']) {
    const { headers } = signed(github, bytes(text), { type: 'push' });
    expect(await verify('s3cret', text, headers['x-hub-signature-256'] ?? '')).toBe(true);
    const theirs = request(bytes(text), { 'x-hub-signature-256': await sign('s3cret', text) });
    expect(github.verify(theirs, secretsOf('s3cret'), 0).ok).toBe(true);
  }
});

test('every published example is read, as the event that it is', () => {
  const all = examples();
  expect(all.length).toBeGreaterThan(300);
  for (const { event: name, payload } of all) {
    const read = event(name, payload);
    const action = typeof payload.action === 'string' ? `.${payload.action}` : '';
    expect(read.type).toBe(name + action);
    expect(read.sender === null).toBe(payload.sender === undefined);
    expect(read.externalId ?? 'github:').toMatch(/^github:/);
  }
});

describe('text is what the sender wrote by this very act', () => {
  const started = examples().filter(({ event: name, payload }) => event(name, payload).text !== null);

  test('only where something is created or edited', () => {
    const types = started.map(({ event: name, payload }) => event(name, payload).type);
    expect([...new Set(types)].sort()).toEqual([
      'commit_comment.created',
      'discussion.created',
      'discussion_comment.created',
      'discussion_comment.edited',
      'issue_comment.created',
      'issue_comment.edited',
      'issues.opened',
      'pull_request.opened',
      'pull_request_review_comment.created',
      'pull_request_review_comment.edited',
    ]);
  });

  test('an edit is marked as one, and a new title is no new text', () => {
    expect(event('issue_comment', comment({ action: 'edited' }))).toMatchObject({
      textOrigin: 'edited',
      text: '@agent analyze',
    });
    expect(
      event('issue_comment', comment({ action: 'edited', changes: { body: { from: 'x' } } })).text,
    ).not.toBeNull();
    const opened = samplePayload(github, 'issues.opened');
    expect(
      event('issues', { ...opened, action: 'edited', changes: { title: { from: 'x' } } }).text,
    ).toBeNull();
    expect(event('issues', { ...opened, action: 'labeled' }).text).toBeNull();
  });

  test('who moves an issue here does not speak its text', () => {
    const sender = { id: 1, login: 'maintainer', type: 'User' };
    expect(event('issues', { ...samplePayload(github, 'issues.opened'), sender })).toMatchObject({
      text: '@agent analyze',
      author: { id: '583231', name: 'octocat' },
      sender: { id: '1', association: null },
    });
  });
});

test('the summary of a review is its text', () => {
  const review = samplePayload(github, 'pull_request_review.submitted', '@agent plan');
  expect(event('pull_request_review', review)).toMatchObject({ text: '@agent plan', textOrigin: 'created' });
});

describe('the sender', () => {
  test('has the association only on what they wrote themselves', () => {
    expect(event('issue_comment', comment()).sender).toEqual({
      id: '583231',
      name: 'octocat',
      kind: 'person',
      association: 'OWNER',
      appId: null,
    });
    const stranger = { id: 7, login: 'stranger', type: 'User' };
    expect(
      event('issue_comment', comment({ action: 'edited', sender: stranger })).sender?.association,
    ).toBeNull();
  });

  test.each([
    ['a bot', { id: 583231, login: 'helper[bot]', type: 'Bot' }, 'bot'],
    ['a login that only apps have', { id: 583231, login: 'helper[bot]', type: 'User' }, 'bot'],
    ['an organisation', { id: 583231, login: 'acme', type: 'Organization' }, 'bot'],
    ['a renamed person', { id: 583231, login: 'somebody-else', type: 'User' }, 'person'],
  ])('%s', (_, sender, kind) => {
    expect(event('issue_comment', comment({ sender })).sender).toMatchObject({ id: '583231', kind });
  });

  test('carries the app through which they act', () => {
    const written = { ...(comment().comment as JsonObject), performed_via_github_app: { id: 42 } };
    expect(event('issue_comment', comment({ comment: written })).sender).toMatchObject({
      kind: 'person',
      appId: '42',
    });
  });
});

describe('the external id', () => {
  const at = (url: string) => ({ repository: { full_name: 'Octo-Org/Repo', html_url: url } });
  test('names the issue, in lower case', () => {
    const payload = comment(at('https://github.com/Octo-Org/Repo'));
    expect(event('issue_comment', payload).externalId).toMatch(/^github:octo-org\/repo#\d+$/);
  });

  test('of a pull request is the same from all its events', () => {
    const review = samplePayload(github, 'pull_request_review.submitted');
    const number = (review.pull_request as JsonObject).number;
    expect(event('pull_request_review', review).externalId).toBe(`github:octo-org/octo-repo#${number}`);
  });

  test.each([
    ['https://ghe.example.com/Octo-Org/Repo', 'github:ghe.example.com/octo-org/repo#'],
    ['https://ghe.example.com:8443/Octo-Org/Repo', 'github:ghe.example.com:8443/octo-org/repo#'],
    ['https://acme.ghe.com/Octo-Org/Repo', 'github:acme.ghe.com/octo-org/repo#'],
  ])('names the host of %s', (url, start) => {
    expect(event('issue_comment', comment(at(url))).externalId).toContain(start);
  });

  test('of a commit comment is the commit', () => {
    const { issue: _, ...payload } = comment();
    const written = { ...(payload.comment as JsonObject), commit_id: 'ABC123' };
    expect(event('commit_comment', { ...payload, comment: written }).externalId).toBe(
      'github:octo-org/octo-repo@abc123',
    );
  });
});

describe('what is not signed is not believed', () => {
  test('a body under the name of another event is refused', () => {
    for (const name of ['issues', 'push', 'pull_request'])
      expect(parse(name, comment())).toMatchObject({ ok: false });
    expect(parse('', comment()).ok).toBe(false);
  });

  test('the same bytes under another delivery id are the same delivery', () => {
    const body = json(comment());
    const headers = { 'x-github-event': 'issue_comment', 'x-github-delivery': 'one' };
    const keys = keysOf(github.parse(request(body, headers)));
    expect(keys).toHaveLength(1);
    expect(keysOf(github.parse(request(body, { ...headers, 'x-github-delivery': 'two' })))).toEqual(keys);
  });

  test('a ping may come twice', () => {
    expect(keysOf(parse('ping', samplePayload(github, 'ping')))).toEqual([]);
  });
});

test('a form carries the same event as JSON does, and is signed as it was sent', () => {
  const payload = comment();
  const body = bytes(`payload=${encodeURIComponent(JSON.stringify(payload)).replaceAll('%20', '+')}`);
  const incoming = signed(github, body, { type: 'issue_comment.created' });
  const form = {
    ...incoming,
    headers: { ...incoming.headers, 'content-type': 'application/x-www-form-urlencoded' },
  };
  expect(github.verify(form, secretsOf('s3cret'), NOW.getTime()).ok).toBe(true);
  expect(onlyEvent(github.parse(form))).toEqual(event('issue_comment', payload));
});

test('events that GitHub adds one day are read', () => {
  expect(event('new_thing', { action: 'done' })).toMatchObject({
    type: 'new_thing.done',
    externalId: null,
    text: null,
  });
});
