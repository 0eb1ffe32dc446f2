import { describe, expect, test } from 'vitest';
import { gitlab } from '../../src/providers/gitlab/index.ts';
import type { JsonObject } from '../../src/types.ts';
import { bytes, hmac, json, NOW, onlyEvent, request, samplePayload, secretsOf, signed } from './support.ts';

const parse = (payload: unknown, hook?: string) =>
  gitlab.parse(request(json(payload), hook === undefined ? {} : { 'x-gitlab-event': hook }));
const event = (payload: unknown, hook?: string) => onlyEvent(parse(payload, hook));
const note = (attributes: JsonObject = {}, envelope: JsonObject = {}): JsonObject => {
  const payload = samplePayload(gitlab, 'note.create');
  return {
    ...payload,
    object_attributes: { ...(payload.object_attributes as JsonObject), ...attributes },
    ...envelope,
  };
};
const project = (change: JsonObject) => ({ project: { ...(note().project as JsonObject), ...change } });

const TOKEN = 'a-plain-token';
const SIGNING = `whsec_${Buffer.from('testtesttesttesttesttesttesttest').toString('base64')}`;

test('the published signature of Standard Webhooks verifies', () => {
  const incoming = (signature: string) =>
    request(bytes('{"test": 2432232314}'), {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': signature,
    });
  const secrets = secretsOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  const outcome = (signature: string) => gitlab.verify(incoming(signature), secrets, 1614265330_000);
  const right = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
  const other = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1O0=';
  const ed25519 =
    'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==';
  expect(outcome(right).ok).toBe(true);
  expect(outcome(`${ed25519} v2,x ${other} ${right}`).ok).toBe(true);
  expect(outcome(other)).toMatchObject({ cause: 'signature_wrong' });
  for (const malformed of [ed25519, 'v1,', 'v1,dawfeo', 'v2,g0h']) {
    expect(outcome(malformed)).toMatchObject({ cause: 'signature_malformed' });
  }
});

test('an id with a dot cannot move the border between id and time', () => {
  const body = '{}';
  const seconds = NOW.getTime() / 1000;
  const key = Buffer.from('testtesttesttesttesttesttesttest');
  const headers = (id: string) => ({
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${hmac(key, `${id}.${seconds}.${body}`).digest('base64')}`,
  });
  expect(gitlab.verify(request(bytes(body), headers('a')), secretsOf(SIGNING), NOW.getTime()).ok).toBe(true);
  for (const id of ['a.1', '']) {
    expect(gitlab.verify(request(bytes(body), headers(id)), secretsOf(SIGNING), NOW.getTime()).ok).toBe(
      false,
    );
  }
});

describe('the token', () => {
  const judge = (headers: Record<string, string>, ...secrets: string[]) => {
    const verdict = gitlab.verify(request(json({}), headers), secretsOf(...secrets), NOW.getTime());
    return verdict.ok ? `secret ${verdict.secretIndex}` : verdict.cause;
  };
  test.each([
    ['right', TOKEN, [TOKEN], 'secret 0'],
    ['the second after a rotation', TOKEN, ['new', TOKEN], 'secret 1'],
    ['beside a signing token', TOKEN, [SIGNING, TOKEN], 'secret 1'],
    ['a part', TOKEN.slice(0, -1), [TOKEN], 'signature_wrong'],
    ['and more', `${TOKEN}x`, [TOKEN], 'signature_wrong'],
    ['with a space', `${TOKEN} `, [TOKEN], 'signature_wrong'],
    ['in upper case', TOKEN.toUpperCase(), [TOKEN], 'signature_wrong'],
    ['twice', `${TOKEN}, ${TOKEN}`, [TOKEN], 'signature_wrong'],
    ['empty', '', [TOKEN], 'signature_missing'],
    ['empty, as is the secret', '', [''], 'signature_missing'],
    ['a signing token, which is no password', SIGNING, [SIGNING], 'signature_missing'],
    ['no secret', TOKEN, [], 'no_secret'],
  ])('%s', (_, header, secrets, expected) =>
    expect(judge({ 'x-gitlab-token': header }, ...secrets)).toBe(expected),
  );

  test('missing', () => expect(judge({}, TOKEN)).toBe('signature_missing'));

  test('beyond ASCII comes as the bytes that were sent', () => {
    const { headers } = signed(gitlab, json({}), { type: 'push', secret: 'gehéim' });
    expect(judge(headers, 'gehéim')).toBe('secret 0');
  });

  test('does not rescue a wrong signature that can be checked', () => {
    const { headers } = signed(gitlab, json({}), { type: 'push', secret: SIGNING });
    const wrong = { ...headers, 'x-gitlab-token': TOKEN, 'webhook-signature': `v1,${'A'.repeat(43)}=` };
    expect(judge(wrong, SIGNING, TOKEN)).toBe('signature_wrong');
    expect(judge({ ...headers, 'x-gitlab-token': TOKEN }, SIGNING, TOKEN)).toBe('secret 0');
    expect(judge({ ...headers, 'x-gitlab-token': TOKEN }, TOKEN)).toBe('secret 0');
  });

  test('is never stored', () => expect(gitlab.secretHeaders).toContain('x-gitlab-token'));
});

describe('text is what the sender wrote by this very act', () => {
  test.each([
    ['a note', note(), 'note.create', '@agent analyze', 'created'],
    ['an edited note', note({ action: 'update' }), 'note.update', '@agent analyze', 'edited'],
    ['a note of GitLab’s own', note({ system: true }), 'note.create', null, 'created'],
    [
      'an old note that does not tell its action',
      note({ action: undefined }),
      'note.create',
      '@agent analyze',
      'created',
    ],
    [
      'an old note that was edited',
      note({ action: undefined, updated_at: '2026-12-01' }),
      'note.update',
      '@agent analyze',
      'edited',
    ],
    ['an issue', samplePayload(gitlab, 'issue.open'), 'issue.open', '@agent analyze', 'created'],
    ['a closed issue', samplePayload(gitlab, 'issue.close'), 'issue.close', null, 'created'],
    [
      'a merge request',
      samplePayload(gitlab, 'merge_request.open'),
      'merge_request.open',
      '@agent analyze',
      'created',
    ],
  ])('%s', (_, payload, type, text, textOrigin) =>
    expect(event(payload)).toMatchObject({ type, text, textOrigin }),
  );

  test('an update speaks only where it changed the description', () => {
    const issue = samplePayload(gitlab, 'issue.open');
    const update = {
      ...issue,
      object_attributes: { ...(issue.object_attributes as JsonObject), action: 'update' },
    };
    expect(event({ ...update, changes: { labels: {} } }).text).toBeNull();
    expect(event({ ...update, changes: { description: {} } })).toMatchObject({
      text: '@agent analyze',
      textOrigin: 'edited',
    });
  });
});

describe('A1: the author of a text', () => {
  const opened = (attributes: JsonObject, kind = 'issue'): JsonObject => {
    const payload = samplePayload(gitlab, `${kind}.open`);
    return {
      ...payload,
      object_attributes: { ...(payload.object_attributes as JsonObject), ...attributes },
    };
  };

  test.each([
    ['an issue that a maintainer moved here', opened({ author_id: 900 })],
    ['a merge request that an import made', opened({ author_id: 900 }, 'merge_request')],
    ['a note that another edited', note({ author_id: 900, action: 'update' })],
  ])('of %s is not its sender', (_, payload) => {
    expect(event(payload)).toMatchObject({
      text: '@agent analyze',
      author: { id: '900', name: 'user 900' },
      sender: { id: '51', association: 'member' },
    });
  });

  test('is the sender where the payload names the same user', () => {
    expect(event(note()).author).toEqual({ id: '51', name: 'ada' });
  });

  test('is unknown where the payload does not name one', () => {
    expect(event(note({ author_id: null })).author).toBeNull();
  });
});

describe('the external id', () => {
  const { merge_request: _, ...bare } = note();
  test.each([
    ['a merge request', note({}, { merge_request: { iid: 7 } }), 'gitlab:acme/web!7'],
    ['an issue', { ...bare, issue: { iid: 7 } }, 'gitlab:acme/web#7'],
    ['a snippet', { ...bare, snippet: { id: 7 } }, 'gitlab:acme/web$7'],
    ['a commit', { ...bare, object_attributes: { commit_id: 'ABC' } }, 'gitlab:acme/web@abc'],
    ['a push', { ...samplePayload(gitlab, 'push'), after: 'ABCDEF0' }, 'gitlab:acme/web@abcdef0'],
    ['a pipeline', samplePayload(gitlab, 'pipeline'), null],
    [
      'a work item',
      { ...bare, object_kind: 'work_item', object_attributes: { iid: 7, action: 'open' } },
      'gitlab:acme/web#7',
    ],
  ])('%s', (_, payload, id) => expect(event(payload).externalId).toBe(id));

  test('names a self-hosted GitLab, and the path in lower case', () => {
    const own = project({
      web_url: 'https://git.example.com:8443/Acme/Web',
      path_with_namespace: 'Acme/Web',
    });
    expect(event(note({}, { ...own, merge_request: { iid: 7 } })).externalId).toBe(
      'gitlab:git.example.com:8443/acme/web!7',
    );
  });
});

describe('the sender', () => {
  test.each([
    ['in a private project', 0, 'member'],
    ['in an internal project', 10, 'internal'],
    ['in a public project', 20, null],
    ['where it is not told', undefined, null],
  ])('%s', (_, level, association) => {
    expect(event(note({}, project({ visibility_level: level }))).sender).toMatchObject({
      id: '51',
      kind: 'person',
      association,
    });
  });

  test('of an access token is a bot, which is listed by the id of its user', () => {
    const user = { id: 99, username: 'project_5_bot_1a2b', name: 'ci' };
    expect(event(note({}, { user })).sender).toEqual({
      id: '99',
      name: user.username,
      kind: 'bot',
      association: null,
      appId: '99',
    });
  });

  test('of a push is beside it', () => {
    expect(event(samplePayload(gitlab, 'push')).sender).toMatchObject({
      id: '51',
      name: 'ada',
      association: 'member',
    });
  });
});

test('one note under two hooks is one act; the same number elsewhere is not', () => {
  const idOf = (payload: object) => event(payload).textId;
  const [project_, group] = [note(), note({}, { hook: 'of the group' })].map(idOf);
  expect(project_).toMatch(/\d$/);
  expect(group).toBe(project_);
  expect(idOf(note({}, project({ web_url: 'https://git.example.com/acme/web' })))).not.toBe(project_);
});

test('the delivery id stays the same when GitLab sends again', () => {
  expect(gitlab.deliveryId({ 'idempotency-key': 'k', 'x-gitlab-webhook-uuid': 'new' })).toBe('k');
  expect(gitlab.deliveryId({})).toBeNull();
});

test('kinds that GitLab adds one day are read', () => {
  expect(event({ object_kind: 'emoji', object_attributes: { action: 'award' } })).toMatchObject({
    type: 'emoji.award',
  });
  expect(event({ anything: 1 }, 'Feature Flag Hook')).toMatchObject({
    type: 'feature_flag',
    externalId: null,
    sender: null,
  });
  expect(event({ event_name: 'project_create' })).toMatchObject({ type: 'project_create' });
  expect(event({}, '<script>')).toMatchObject({ type: 'unknown' });
});
