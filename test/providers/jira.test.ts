import { describe, expect, test } from 'vitest';
import { getPath } from '../../src/lib/json.ts';
import { jira } from '../../src/providers/jira/index.ts';
import type { JsonObject } from '../../src/types.ts';
import { bytes, json, keysOf, onlyEvent, request, samplePayload, secretsOf } from './support.ts';

const parse = (payload: unknown) => jira.parse(request(json(payload)));
const event = (payload: unknown) => onlyEvent(parse(payload));
const comment = () => samplePayload(jira, 'comment_created', 'x');

test('the published signature verifies, and sha1 of the same does not', () => {
  const secrets = secretsOf("It's a Secret to Everybody");
  const digest = 'a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9';
  const incoming = (value: string) => request(bytes('Hello World!'), { 'x-hub-signature': value });
  expect(jira.verify(incoming(`sha256=${digest}`), secrets, 0).ok).toBe(true);
  expect(jira.verify(incoming(`sha1=${digest.slice(0, 40)}`), secrets, 0)).toMatchObject({
    cause: 'signature_malformed',
  });
});

describe('a rule of Automation for Jira', () => {
  test.each([
    ['the secret', 's3cret', true],
    ['part of it', 's3cre', false],
    ['more than it', 's3crett', false],
    ['it twice', 's3cret, s3cret', false],
    ['nothing', '', false],
  ])('proves itself by sending %s', (_, token, ok) => {
    expect(jira.verify(request(json({}), { 'x-hookctl-token': token }), secretsOf('s3cret'), 0).ok).toBe(ok);
  });

  test('is judged by its signature alone where it has one', () => {
    const headers = { 'x-hookctl-token': 's3cret', 'x-hub-signature': `sha256=${'0'.repeat(64)}` };
    expect(jira.verify(request(json({}), headers), secretsOf('s3cret'), 0)).toMatchObject({
      cause: 'signature_wrong',
    });
  });

  test.each([
    ['with its issue inside', (issue: JsonObject) => ({ issue })],
    ['with its issue as the whole body', (issue: JsonObject) => issue],
  ])('is read %s', (_, wrap) => {
    const issue = { ...(comment().issue as JsonObject), id: 10001, key: 'PROJ-7' };
    expect(event(wrap(issue))).toMatchObject({
      type: 'automation',
      externalId: 'jira:PROJ-7',
      title: 'Login fails with status 500',
      text: null,
      sender: { kind: 'system' },
    });
  });
});

describe('Data Center tells of one comment twice', () => {
  const author = {
    self: 'https://jira.example.com/rest/api/2/user?username=ada',
    name: 'ada',
    key: 'JIRAUSER10100',
    displayName: 'Ada',
  };
  const written = {
    self: 'https://jira.example.com/rest/api/2/issue/10013/comment/10082',
    id: '10082',
    author,
    body: '@agent fix',
    updateAuthor: author,
    created: '2026-11-23T12:00:00.000+0000',
    updated: '2026-11-23T12:00:00.000+0000',
  };
  const first = { timestamp: 1, webhookEvent: 'comment_created', comment: written };
  const issue = {
    id: '10013',
    self: 'https://jira.example.com/rest/api/2/issue/10013',
    key: 'PROJ-1',
    fields: { summary: 'Login' },
  };
  const twin = {
    timestamp: 2,
    webhookEvent: 'jira:issue_updated',
    issue_event_type_name: 'issue_commented',
    user: author,
    issue,
    comment: written,
  };
  const commentKeys = (payload: unknown) =>
    keysOf(parse(payload)).filter((key) => key.startsWith('comment:'));

  test('and both say the same, by the same person, under the same key', () => {
    for (const payload of [first, twin]) {
      expect(event(payload)).toMatchObject({
        text: '@agent fix',
        textOrigin: 'created',
        sender: { id: 'JIRAUSER10100', name: 'Ada', kind: 'person', association: 'unstated', appId: null },
      });
      expect(commentKeys(payload)).toEqual(['comment:jira.example.com:10082']);
    }
  });

  test('without an issue the address of the comment tells its id', () => {
    expect(event(first).externalId).toBe('jira:jira.example.com/10013');
    expect(event(twin)).toMatchObject({
      externalId: 'jira:jira.example.com/PROJ-1',
      url: 'https://jira.example.com/browse/PROJ-1?focusedCommentId=10082',
    });
  });

  test('and the same number on another host is another comment', () => {
    const elsewhere = JSON.parse(JSON.stringify(twin).replaceAll('jira.example.com', 'jira.other.test'));
    expect(commentKeys(elsewhere)).toEqual(['comment:jira.other.test:10082']);
  });

  const later = { ...written, updated: '2026-11-23T13:00:00.000+0000' };
  test.each([
    [
      'the edit, by its name',
      { ...twin, issue_event_type_name: 'issue_comment_edited', comment: later },
      'edited',
    ],
    ['the edit, by its times', { ...twin, issue_event_type_name: undefined, comment: later }, 'edited'],
    ['the comment of a very old server', { ...twin, issue_event_type_name: undefined }, 'created'],
    ['the comment beside a transition', { ...twin, issue_event_type_name: 'issue_generic' }, 'created'],
  ])('%s', (_, payload, origin) => {
    expect(event(payload)).toMatchObject({ text: '@agent fix', textOrigin: origin });
  });

  test('both tellings of an edit have one key, which is not that of the comment', () => {
    const edits = [
      { ...twin, issue_event_type_name: 'issue_comment_edited', comment: later },
      { ...first, webhookEvent: 'comment_updated', comment: later },
    ];
    const [one, two] = edits.map(commentKeys);
    expect(one).toEqual(two);
    expect(one).not.toEqual(commentKeys(first));
  });

  test('a deleted comment says nothing any more', () => {
    expect(event({ ...twin, issue_event_type_name: 'issue_comment_deleted' }).text).toBeNull();
    expect(event({ ...first, webhookEvent: 'comment_deleted' }).text).toBeNull();
  });
});

test('the field toString of a change is read as a field', () => {
  const { payload } = event(samplePayload(jira, 'jira:issue_updated'));
  expect(getPath(payload, ['changelog', 'items', '0', 'toString'])).toBe('In Progress');
  expect(getPath(payload, ['issue', 'toString'])).toBeUndefined();
});

describe('the sender', () => {
  const by = (change: JsonObject, fields: JsonObject = {}) => {
    const base = comment();
    const author = { accountId: '5c1', displayName: 'Ada', ...change };
    return event({
      ...base,
      comment: { ...(base.comment as JsonObject), author },
      issue: { key: 'P-1', fields },
    }).sender;
  };
  test.each([
    ['a user of the site', { accountType: 'atlassian' }, {}, 'person', 'atlassian', null],
    ['a customer', { accountType: 'customer' }, {}, 'person', 'customer', null],
    ['an app', { accountType: 'app' }, {}, 'bot', 'app', '5c1'],
    ['untold', {}, {}, 'person', 'unstated', null],
    ['untold, with the id of a customer', { accountId: 'qm:1:2' }, {}, 'person', 'customer', null],
    ['untold, in a service desk', {}, { project: { projectTypeKey: 'service_desk' } }, 'person', null, null],
    [
      'untold here, told of the reporter',
      {},
      { reporter: { accountId: '5c1', accountType: 'customer' } },
      'person',
      'customer',
      null,
    ],
    ['renamed', { displayName: 'Agent' }, {}, 'person', 'unstated', null],
  ])('%s', (_, change, fields, kind, association, appId) => {
    expect(by(change, fields)).toMatchObject({ kind, association, appId });
  });

  test('without an id of their own nobody is told by a name', () => {
    expect(by({ accountId: null, name: 'ada' })).toBeNull();
  });

  test('of an edit is the editor', () => {
    const updated = samplePayload(jira, 'comment_updated');
    const changed = {
      ...(updated.comment as JsonObject),
      updateAuthor: { accountId: '9', accountType: 'customer' },
    };
    expect(event({ ...updated, comment: changed }).sender).toMatchObject({
      id: '9',
      association: 'customer',
    });
  });
});

test('a customer may not command by default; a user whose type is not told may', () => {
  expect(jira.defaultAssociations).toEqual(['atlassian', 'unstated']);
});

test('the same bytes are the same delivery; a retry keeps its identifier', () => {
  const headers = { 'x-atlassian-webhook-identifier': 'one', 'x-atlassian-webhook-retry': '2' };
  expect(jira.deliveryId(headers)).toBe('one');
  expect(keysOf(parse(comment()))).toEqual(keysOf(parse(comment())));
});

test('events without an issue and events of tomorrow are read', () => {
  expect(event({ timestamp: 1, webhookEvent: 'board_created' })).toMatchObject({
    type: 'board_created',
    externalId: null,
    sender: null,
  });
  expect(event({ anything: 1 })).toMatchObject({ type: 'automation', externalId: null });
});

describe('G7: an assignment asks the agent', () => {
  const agentUser = '557058:agent';
  const agent = { accountId: agentUser, displayName: 'Agent' };
  const issue = (assignee: unknown) => ({ id: '1', key: 'P-1', fields: { summary: 's', assignee } });
  const changed = (...items: readonly JsonObject[]) => ({
    timestamp: 1,
    webhookEvent: 'jira:issue_updated',
    user: { accountId: '5c1', accountType: 'atlassian' },
    changelog: { items },
  });
  const asks = (payload: unknown, user: string | null = agentUser) => {
    const options = user === null ? {} : { agentUser: user };
    return onlyEvent(jira.parse(request(json(payload)), { commandPrefix: '@agent', options })).asks ?? null;
  };
  const server = { key: 'JIRAUSER9', name: 'hookctl' };

  test.each([
    ['given to the agent', { ...changed({ field: 'assignee', to: agentUser }), issue: issue(agent) }],
    [
      'given and renamed at once',
      { ...changed({ field: 'summary' }, { field: 'assignee', to: agentUser }), issue: issue(agent) },
    ],
    ['made for the agent', { ...changed(), webhookEvent: 'jira:issue_created', issue: issue(agent) }],
    [
      'without a list of changes',
      { ...changed(), issue_event_type_name: 'issue_assigned', issue: issue(agent) },
    ],
  ])('G7: %s', (_, payload) => expect(asks(payload)).toBe(`the issue was assigned to ${agentUser}`));

  test.each([
    ['given to somebody else', { ...changed({ field: 'assignee', to: '5c2' }), issue: issue(null) }],
    [
      'taken from the agent',
      { ...changed({ field: 'assignee', from: agentUser, to: null }), issue: issue(null) },
    ],
    ['the agent has it already', { ...changed({ field: 'summary' }), issue: issue(agent) }],
    [
      'taken by the agent itself',
      { ...changed({ field: 'assignee', to: agentUser }), user: agent, issue: issue(agent) },
    ],
    ['a comment on it', { ...comment(), issue: issue(agent) }],
  ])('G7: not when %s', (_, payload) => expect(asks(payload)).toBeNull());

  test('G7: Data Center names the user by key or name', () => {
    const payload = { ...changed({ field: 'assignee', to: 'JIRAUSER9' }), issue: issue(server) };
    expect(asks(payload, 'JIRAUSER9')).not.toBeNull();
    expect(asks(payload, 'hookctl')).not.toBeNull();
    expect(asks(payload, 'JIRAUSER8')).toBeNull();
    expect(asks(payload, null)).toBeNull();
  });
});
