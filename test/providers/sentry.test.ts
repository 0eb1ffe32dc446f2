import { describe, expect, test } from 'vitest';
import { sentry } from '../../src/providers/sentry/index.ts';
import { compileTemplate } from '../../src/templates/template.ts';
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

  test('of UI components are in the other header, also over an empty body', () => {
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

  test('names a self-hosted Sentry, which comments know from the webhook alone', () => {
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

  test('is Sentry where no user is named or could be, else unknown', () => {
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

describe('C5: a task of Sentry says what happened', () => {
  const frames = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      filename: `src/f${index}.ts`,
      function: `call${index}`,
      lineno: index,
    }));
  const details = (resource: string, action: string, data: JsonObject) =>
    event(resource, { action, installation: { uuid: 'u' }, data, actor: null }).details;

  test('C5: the message of a user feedback', () => {
    const contexts = { feedback: { message: 'The pump shows -1 bar', contact_email: 'bob@acme.example' } };
    const feedback = { event_id: 'e', issue_id: '7', title: 'User Feedback', contexts };
    expect(details('event_alert', 'triggered', { event: feedback, triggered_rule: 'r' })).toBe(
      'Feedback: The pump shows -1 bar',
    );
    const issue = { id: '7', title: 'User Feedback', metadata: { message: 'The pump shows -1 bar' } };
    expect(details('issue', 'created', { issue })).toBe('Feedback: The pump shows -1 bar');
  });

  test('C5: an error with its culprit and the topmost frames, what was raised last first', () => {
    const values = [
      { type: 'SocketError', value: 'closed', stacktrace: { frames: frames(1) } },
      { type: 'PumpError', value: 'no answer', stacktrace: { frames: frames(12) } },
    ];
    const error = { event_id: 'e', issue_id: '7', culprit: 'pump(read)', exception: { values } };
    const text = details('error', 'created', { error }) ?? '';
    expect(text.split('\n')).toEqual([
      'Culprit: pump(read)',
      'PumpError: no answer',
      ...frames(12)
        .toReversed()
        .slice(0, 10)
        .map((frame) => `  at ${frame.function} (${frame.filename}:${frame.lineno})`),
      '  … 2 more frames',
      'SocketError: closed',
      '  at call0 (src/f0.ts:0)',
    ]);
  });

  test.each([
    ['a log message', { logentry: { message: 'pump %s', formatted: 'pump 7' } }, 'Message: pump 7'],
    ['an entry of the API', { entries: [{ type: 'message', data: { formatted: 'low' } }] }, 'Message: low'],
    [
      'an exception among the entries',
      { entries: [{ type: 'exception', data: { values: [{ type: 'E', value: 'x' }] } }] },
      'E: x',
    ],
    [
      'an issue, which has no stack',
      { metadata: { type: 'PumpError', value: 'dry' } },
      'Message: PumpError: dry',
    ],
    [
      'a message with a stack',
      { message: 'slow', stacktrace: { frames: frames(1) } },
      'Message: slow\n  at call0 (src/f0.ts:0)',
    ],
    [
      'a crash, by the thread that crashed',
      { threads: { values: [{ id: 1 }, { id: 2, crashed: true, stacktrace: { frames: frames(1) } }] } },
      '  at call0 (src/f0.ts:0)',
    ],
    [
      'the code of a frame of the application alone',
      {
        exception: {
          values: [
            {
              type: 'E',
              stacktrace: {
                frames: [
                  { function: 'lib', filename: 'lib.js', context_line: 'x()', in_app: false },
                  { function: 'own', filename: 'own.js', lineno: 3, context_line: '  y()', in_app: true },
                ],
              },
            },
          ],
        },
      },
      'E\n  at own (own.js:3): y()\n  at lib (lib.js)',
    ],
    ['nothing that is known', { level: 'error' }, null],
  ])('C5: %s', (_, about, expected) => {
    expect(details('event_alert', 'triggered', { event: { event_id: 'e', issue_id: '7', ...about } })).toBe(
      expected,
    );
  });

  test('C5: a metric alert by its description, a long message cut', () => {
    const alert = { metric_alert: { id: '1' }, description_text: '1000 events in 10 minutes' };
    expect(details('metric_alert', 'critical', alert)).toBe('Message: 1000 events in 10 minutes');
    expect(details('event_alert', 'triggered', { event: { message: 'x'.repeat(100_000) } })).toHaveLength(
      4_009,
    );
  });

  test('C5: the task of the built-in webhook holds it, fenced as words from outside', () => {
    const said = onlyEvent(parse('event_alert', sample('event_alert.triggered')));
    const compiled = compileTemplate(sentry.webhook?.commands[0]?.template ?? '');
    const context = { event: said, argument: '', authorOf: () => null };
    const prompt = compiled.ok ? compiled.template.fenced(context) : '';
    expect(prompt).toContain('Culprit: login(src/login)\nTypeError: Cannot read');
    expect(prompt).toContain(
      '  at login (src/login.ts:42): return session.user.id\n  at handle (src/login.ts:12)',
    );
    expect(prompt).toMatch(/source="?@event\.details/);
  });
});

test('a regression: its details name the release, and however often it is told it has one key', () => {
  const payload = samplePayload(sentry, 'issue.resolved') as { data: { issue: JsonObject } };
  const told = (changes: JsonObject) => ({
    ...payload,
    action: 'unresolved',
    data: {
      issue: { ...payload.data.issue, status: 'unresolved', lastSeen: '2026-11-30T10:00:00Z', ...changes },
    },
  });
  const back = told({ substatus: 'regressed', lastRelease: { version: 'web@1.4.2' } });
  expect(event('issue', back)).toMatchObject({
    type: 'issue.unresolved',
    details: expect.stringContaining('Regressed in release web@1.4.2: it was resolved before.'),
  });
  const keys = (body: unknown) => keysOf(parse('issue', body));
  expect(keys(back)).toEqual([expect.stringMatching(/^issue\.regressed:.+:2026-11-30T10:00:00Z$/)]);
  expect(keys(told({ substatus: 'regressed', lastSeen: '2026-12-01T10:00:00Z' }))).not.toEqual(keys(back));
  expect(keys(told({ substatus: 'ongoing' }))).toEqual([]);
});
