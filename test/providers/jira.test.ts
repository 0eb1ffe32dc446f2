import { describe, expect, test } from 'vitest';
import { match } from '../../src/deliveries/match.ts';
import { getPath } from '../../src/lib/json.ts';
import { jira } from '../../src/providers/jira/index.ts';
import type { JsonObject } from '../../src/types.ts';
import { webhookWith } from '../deliveries/support.ts';
import { merged } from '../support/merged.ts';
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

  const ada = { id: 'JIRAUSER10100', name: 'Ada', kind: 'person', association: 'unstated', appId: null };

  test('and the one with its issue speaks, under the key of the comment', () => {
    expect(event(twin)).toMatchObject({ text: '@agent fix', textOrigin: 'created', sender: ada });
    expect(commentKeys(twin)).toEqual(['comment:jira.example.com:10082']);
  });

  test('C2: the one without its issue says nothing, says why, and does not make the other a duplicate', () => {
    for (const webhookEvent of ['comment_created', 'comment_updated']) {
      expect(event({ ...first, webhookEvent })).toMatchObject({
        text: null,
        author: null,
        sender: ada,
        withoutText: expect.stringContaining('names no issue; Jira sends the comment again with its issue'),
      });
      expect(commentKeys({ ...first, webhookEvent })).toEqual([]);
    }
    expect(event({ ...first, issue })).toMatchObject({ text: '@agent fix', withoutText: null });
    expect(commentKeys({ ...first, issue })).toEqual(commentKeys(twin));
    expect(event(first).stableIds).toEqual(event(twin).stableIds);
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
      { ...first, webhookEvent: 'comment_updated', comment: later, issue },
    ];
    const [one, two] = edits.map(commentKeys);
    expect(one).toEqual(two);
    expect(one).not.toEqual(commentKeys(twin));
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
    [
      'the user of an app on Data Center',
      { accountId: null, key: 'addon_com.acme', name: 'addon_com.acme' },
      {},
      'bot',
      'app',
      'addon_com.acme',
    ],
    [
      'Automation for Jira',
      { accountId: '557058:f58131cb-b67d-43c7-b30d-6b58d40bd077' },
      {},
      'bot',
      'app',
      '557058:f58131cb-b67d-43c7-b30d-6b58d40bd077',
    ],
  ])('%s', (_, change, fields, kind, association, appId) => {
    expect(by(change, fields)).toMatchObject({ kind, association, appId });
  });

  test('a name without an id identifies no one', () => {
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

test('F9: neither a customer nor an account whose type is not stated may command by default', () => {
  expect(jira.defaultAssociations).toEqual(['atlassian']);
});

describe('F9: an account of Data Center, whose type is not stated', () => {
  const author = { key: 'JIRAUSER10100', name: 'ada', displayName: 'Ada' };
  const said = (text: string) => {
    const base = comment();
    return event({ ...base, comment: { ...(base.comment as JsonObject), author, body: text } });
  };
  const webhook = (allow?: object) =>
    webhookWith({
      name: 'jira',
      provider: 'jira',
      commands: [{ name: 'analyze' }, { trigger: 'comment_created' }],
      ...(allow !== undefined && { allow }),
    });
  const judge = async (allow?: object) => match(await webhook(allow), said('@agent analyze')).matches;

  test('F9: its command is ignored, with the line to write', async () => {
    const [command] = await judge();
    expect(command).toMatchObject({ fired: false });
    expect(command?.reason).toContain('Ada (id JIRAUSER10100, unstated) may not command');
    expect(command?.reason).toContain('write `allow: { users: ["JIRAUSER10100"] }`');
    expect(command?.reason).toContain('`allow: { associations: [atlassian, unstated] }`');
  });

  test('F9: its trigger waits for approval', async () => {
    expect((await judge())[1]).toMatchObject({ fired: true, needsApproval: true });
  });

  test.each([[{ users: ['JIRAUSER10100'] }], [{ associations: ['atlassian', 'unstated'] }]])(
    'F9: %j lets it command',
    async (allow) => expect((await judge(allow))[0]).toMatchObject({ fired: true, needsApproval: false }),
  );
});

describe('F9: an issue whose creator is not its reporter, made of mail or for a customer', () => {
  const made = (reporter: JsonObject) =>
    event(
      merged(samplePayload(jira, 'jira:issue_created', '@agent analyze'), {
        issue: { fields: { reporter } },
      }),
    );
  const judge = async (reporter: JsonObject, approval?: 'never') =>
    match(
      await webhookWith({
        ...{ name: 'jira', provider: 'jira' },
        commands: [{ name: 'analyze' }, { trigger: 'jira:issue_created', ...(approval && { approval }) }],
      }),
      made(reporter),
    ).matches.map(({ fired, needsApproval }) => (fired ? (needsApproval ? 'waits' : 'starts') : 'ignored'));
  const customer = { accountId: 'qm:1:2', accountType: 'customer', displayName: 'Mallory' };

  test('F9: its text is ignored, and its trigger waits for approval', async () => {
    expect(await judge(customer)).toEqual(['ignored', 'waits']);
    expect(await judge({ ...customer, accountId: 'another', accountType: 'atlassian' })).toEqual([
      'ignored',
      'waits',
    ]);
    expect(await judge({})).toEqual(['starts', 'starts']);
    expect(await judge(customer, 'never')).toEqual(['ignored', 'starts']);
  });
});

describe('A6: a workflow’s post-function', () => {
  const transition = { transitionId: 5, transitionName: 'Done', workflowName: 'W' };
  const customer = { accountId: 'qm:1', displayName: 'Bob', accountType: 'customer' };
  const sent = (change: JsonObject) => event({ transition, issue: { key: 'P-1', fields: {} }, ...change });

  test.each([
    [
      'the user of the transition',
      { user: customer },
      { id: 'qm:1', kind: 'person', association: 'customer' },
    ],
    ['an app', { user: { accountId: '5c1', accountType: 'app' } }, { kind: 'bot', appId: '5c1' }],
    ['nobody, where the user is not told', {}, null],
    ['nobody, where the user has no id', { user: { displayName: 'Bob' } }, null],
    ['the user, also without a transition', { transition: undefined, user: customer }, { id: 'qm:1' }],
    ['the rule, where it names no user', { transition: undefined }, { id: 'automation', kind: 'system' }],
  ])('A6: is judged by %s', (_, change, sender) => {
    const found = sent(change as JsonObject).sender;
    if (sender === null) expect(found).toBeNull();
    else expect(found).toMatchObject(sender);
  });
});

describe('C6: what an event names is its subject; what it is about did not act', () => {
  const REST = 'https://acme.atlassian.net/rest/api/2';
  const person = (id: string) => ({
    accountId: id,
    displayName: id,
    accountType: 'atlassian',
    self: `${REST}/user?accountId=${id}`,
  });
  const thing = (name: string) => ({ id: '7', name, self: `${REST}/${name}/7`, projectLead: person('lead') });
  const log = {
    id: '1',
    issueId: '10013',
    self: `${REST}/issue/10013/worklog/1`,
    author: person('a'),
    updateAuthor: person('b'),
  };
  const file = { id: '1', filename: 'pump.log', self: `${REST}/attachment/1`, author: person('a') };
  test.each([
    ['attachment_created', { attachment: file }, null, 'a', 'pump.log'],
    ['attachment_deleted', { attachment: file }, null, null, 'pump.log'],
    ['worklog_created', { worklog: log }, 'jira:10013', 'a', 'worklog'],
    ['worklog_updated', { worklog: log }, 'jira:10013', 'b', 'worklog'],
    ['worklog_deleted', { worklog: log }, 'jira:10013', null, 'worklog'],
    [
      'issuelink_created',
      { issueLink: { id: 1, sourceIssueId: 10013, issueLinkType: { name: 'Blocks' } } },
      'jira:10013',
      null,
      'Blocks',
    ],
    ['sprint_started', { sprint: thing('sprint') }, 'jira:sprint/7', null, 'sprint'],
    ['jira:version_released', { version: thing('version') }, 'jira:version/7', null, 'version'],
    ['project_created', { project: thing('project') }, 'jira:project/7', null, 'project'],
    ['user_created', { user: person('new') }, null, null, 'new'],
    ['user_deleted', { user: person('new') }, null, null, 'new'],
    [
      'issue_property_set',
      { property: { key: 'build', value: 1, self: `${REST}/issue/10013/properties/build` } },
      'jira:10013',
      null,
      'build',
    ],
    [
      'comment_deleted',
      { comment: { id: '1', author: person('a'), self: `${REST}/issue/10013/comment/1` } },
      'jira:10013',
      null,
      null,
    ],
    [
      'jira:issue_updated',
      { user: person('a'), issue: { id: '1', key: 'P-1', fields: { assignee: person('b') } } },
      'jira:P-1',
      'a',
      null,
    ],
  ])('C6: %s', (webhookEvent, payload, externalId, sender, title) => {
    const said = event({ timestamp: 1, webhookEvent, ...payload });
    expect({ ...said, sender: said.sender?.id ?? null }).toMatchObject({ externalId, sender, title });
  });

  test.each([
    ['project', { project: { ...thing('project'), key: 'PUMP' } }, 'https://acme.atlassian.net/browse/PUMP'],
    ['filter', { filter: thing('filter') }, 'https://acme.atlassian.net/issues/?filter=7'],
    ['board', { board: thing('board') }, 'https://acme.atlassian.net/secure/RapidBoard.jspa?rapidView=7'],
    [
      'sprint',
      { sprint: { ...thing('sprint'), originBoardId: 3 } },
      'https://acme.atlassian.net/secure/RapidBoard.jspa?rapidView=3',
    ],
    [
      'attachment',
      { attachment: { ...file, content: 'https://acme.atlassian.net/x' } },
      'https://acme.atlassian.net/x',
    ],
  ])('C4: a %s leads to its page', (name, payload, url) => {
    expect(event({ timestamp: 1, webhookEvent: `${name}_created`, ...payload }).url).toBe(url);
  });

  test('C6: a sprint has no place for an answer, an attachment’s issue is not told', () => {
    const place = (payload: JsonObject) => jira.reply?.place(event({ timestamp: 1, ...payload }));
    expect(place({ webhookEvent: 'sprint_started', sprint: thing('sprint') })).toBeNull();
    expect(place({ webhookEvent: 'worklog_created', worklog: log })).toMatchObject({ issue: '10013' });
  });
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
