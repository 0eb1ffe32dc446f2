import { describe, expect, test } from 'vitest';
import { slack } from '../../src/providers/slack/index.ts';
import type { JsonObject } from '../../src/types.ts';
import { bytes, json, keysOf, NOW, onlyEvent, request, samplePayload, secretsOf } from './support.ts';

const SETTINGS = { commandPrefix: '@agent', options: {} };
const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };

const parse = (payload: unknown, prefix = '@agent') =>
  slack.parse(request(json(payload), JSON_TYPE), { ...SETTINGS, commandPrefix: prefix });
const event = (payload: unknown, prefix?: string) => onlyEvent(parse(payload, prefix));

/** A message in a channel; `change` replaces fields of the event, `envelope` those around it. */
function message(change: JsonObject = {}, envelope: JsonObject = {}): JsonObject {
  const payload = samplePayload(slack, 'message.channel', 'x');
  return { ...payload, event: { ...(payload.event as JsonObject), ...change }, ...envelope };
}

const PUBLISHED =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';

test('the published signature verifies, and only in its five minutes', () => {
  const secrets = secretsOf('8f742231b10e8888abcd99yyyzzz85a5');
  const incoming = request(bytes(PUBLISHED), {
    ...FORM_TYPE,
    'x-slack-request-timestamp': '1531420618',
    'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
  });
  expect(slack.verify(incoming, secrets, 1531420618_000).ok).toBe(true);
  expect(slack.verify(incoming, secrets, NOW.getTime())).toMatchObject({ cause: 'timestamp_outside_window' });
  expect(onlyEvent(slack.parse(incoming, SETTINGS))).toMatchObject({
    type: 'slash_command',
    text: '@agent',
    sender: { id: 'U2CERLKJA', name: 'roadrunner', kind: 'person', association: 'member' },
  });
});

describe('what a person wrote', () => {
  test.each([
    ['a mention of the app is the prefix', '<@U0HOOKBOT> analyze', '@agent analyze'],
    ['also with a name beside it', '<@U0HOOKBOT|hook> analyze', '@agent analyze'],
    ['also without spaces around it', 'hey<@U0HOOKBOT>analyze', 'hey @agent analyze'],
    ['also before punctuation', '<@U0HOOKBOT>: analyze', '@agent: analyze'],
    ['a mention of somebody else is their id', '<@U999> <@U998|agent> hi', '@U999 @U998 hi'],
    ['a typed prefix stays', '@agent analyze', '@agent analyze'],
    ['the three entities', 'a &lt;b&gt; &amp; c', 'a <b> & c'],
    ['an entity that was typed', '&amp;lt; &amp;amp;', '&lt; &amp;'],
    ['a mention that was typed', '&lt;@U0HOOKBOT&gt; fix', '<@U0HOOKBOT> fix'],
    ['channels', '<#C1|general> <#C2>', '#general #C2'],
    [
      'everybody and groups',
      '<!here> <!here|here> <!subteam^S1|@agent> <!channel>',
      '@here @here @S1 @channel',
    ],
    ['dates', '<!date^1392734382^{date}|Feb 18>', 'Feb 18'],
    [
      'links',
      '<https://x.test/?a=1&amp;b=2> <https://x.test|x.test> <https://x.test|see>',
      'https://x.test/?a=1&b=2 https://x.test see (https://x.test)',
    ],
    ['mail addresses', '<mailto:a@x.test|a@x.test>', 'a@x.test'],
    ['quotes, as lines that the matcher knows', '&gt; <@U0HOOKBOT> fix\nno', '> @agent fix\nno'],
    ['signs of replacement patterns', "<@U0HOOKBOT> $& $1 $'", "@agent $& $1 $'"],
  ])('%s', (_, text, expected) => expect(event(message({ text })).text).toBe(expected));

  test('the webhook’s prefix replaces a mention', () => {
    expect(event(message({ text: '<@U0HOOKBOT> fix' }), '!bot').text).toBe('!bot fix');
  });

  test('an app_mention tells the app itself, where the envelope does not', () => {
    const payload = message({ type: 'app_mention', text: '<@U777> fix' }, { authorizations: undefined });
    expect(event(payload).text).toBe('@agent fix');
  });

  test('an authorization of a person is no bot', () => {
    const authorizations = [{ team_id: 'T0ACME', user_id: 'U0ADA', is_bot: false }];
    expect(event(message({ text: '<@U0ADA> fix' }, { authorizations })).text).toBe('@U0ADA fix');
  });
});

describe('messages', () => {
  test.each([
    ['of a channel', {}, 'message.channel', 'x'],
    ['with a file', { subtype: 'file_share' }, 'message.channel', 'x'],
    ['also sent to the channel', { subtype: 'thread_broadcast' }, 'message.channel', 'x'],
    ['of a private channel', { channel_type: 'group' }, 'message.group', 'x'],
    ['that tell who joined', { subtype: 'channel_join' }, 'message.channel_join', null],
    [
      'that were deleted',
      { subtype: 'message_deleted', previous_message: { text: 'x', ts: '1.2' } },
      'message.message_deleted',
      null,
    ],
    [
      'that got a reply',
      { subtype: 'message_replied', message: { text: 'x', ts: '1.2' } },
      'message.message_replied',
      null,
    ],
    ['of unknown kind', { subtype: undefined, channel_type: undefined }, 'message', 'x'],
  ])('%s', (_, change, type, text) =>
    expect(event(message(change as JsonObject))).toMatchObject({ type, text }),
  );

  test('an edit is one of its editor, and only where the text changed', () => {
    const edit = samplePayload(slack, 'message.message_changed', '@agent fix');
    expect(event(edit)).toMatchObject({ text: '@agent fix', textOrigin: 'edited', sender: { id: 'U0ADA' } });
    const inner = edit.event as JsonObject;
    const same = { ...inner, previous_message: inner.message };
    expect(event({ ...edit, event: same }).text).toBeNull();
    const { edited: _, ...unfurled } = inner.message as JsonObject;
    expect(event({ ...edit, event: { ...inner, message: unfurled } }).text).toBeNull();
  });

  test('a thread is one subject, from its first message on', () => {
    expect(event(message({ ts: '1.000100' })).externalId).toBe('slack:T0ACME:C0GENERAL:1.000100');
    expect(event(message({ ts: '2.000100', thread_ts: '1.000100' })).externalId).toBe(
      'slack:T0ACME:C0GENERAL:1.000100',
    );
  });
});

describe('one mention is one act', () => {
  const key = (payload: unknown) => keysOf(parse(payload)).filter((each) => each.startsWith('message:'));
  const said = { text: '<@U0HOOKBOT> fix', ts: '1.000100' };

  test('although it comes as app_mention and as message', () => {
    const [mention, twin] = [
      message({ ...said, type: 'app_mention' }, { event_id: 'Ev1' }),
      message(said, { event_id: 'Ev2' }),
    ];
    expect(key(mention)).toEqual(['message:C0GENERAL:1.000100']);
    expect(key(twin)).toEqual(key(mention));
  });

  test('other messages, channels and edits have other keys', () => {
    const edited = { edited: { user: 'U0ADA', ts: '9.0' } };
    const keys = [said, { ...said, ts: '1.000101' }, { ...said, channel: 'C2' }, { ...said, ...edited }].map(
      (it) => key(message(it))[0],
    );
    expect(new Set(keys).size).toBe(4);
  });

  test('a retry has the id of the event', () => {
    expect(keysOf(parse(message({}, { event_id: 'Ev1' })))).toContain('event:Ev1');
  });
});

describe('the sender', () => {
  const sender = (change: JsonObject, envelope: JsonObject = {}) => event(message(change, envelope)).sender;
  const shared = { is_ext_shared_channel: true };
  test.each([
    ['a full member', {}, {}, 'person', 'member'],
    ['a guest', { user_profile: { is_restricted: true } }, {}, 'person', 'guest'],
    ['a guest of one channel', { user_profile: { is_ultra_restricted: true } }, {}, 'person', 'guest'],
    ['a member in a channel shared with others', { user_team: 'T0ACME' }, shared, 'person', 'member'],
    ['somebody of another company', { user_team: 'T9' }, shared, 'person', 'external'],
    ['somebody who is not told, in a shared channel', { team: undefined }, shared, 'person', 'external'],
    ['another workspace of the organisation', { team: 'T2' }, {}, 'person', 'member'],
    ['a bot', { bot_id: 'B1', bot_profile: { name: 'ci', app_id: 'A1' } }, {}, 'bot', null],
    ['an old bot without a user', { user: undefined, bot_id: 'B1', subtype: 'bot_message' }, {}, 'bot', null],
    ['Slackbot, which posts reminders', { user: 'USLACKBOT' }, {}, 'bot', null],
  ])('%s', (_, change, envelope, kind, association) => {
    expect(sender(change as JsonObject, envelope)).toMatchObject({ kind, association });
  });

  test('of a bot carries its app', () => expect(sender({ bot_id: 'B1', app_id: 'A1' })?.appId).toBe('A1'));

  test('of what the app posted itself never speaks', () => {
    expect(event(message({ bot_id: 'B0', app_id: 'A0HOOKCTL', text: '@agent fix' })).text).toBeNull();
    expect(event(message({ user: 'U0HOOKBOT', text: '@agent fix' })).text).toBeNull();
    expect(event(message({ bot_id: 'B1', app_id: 'A1', text: '@agent fix' })).text).toBe('@agent fix');
  });

  test('is the same whatever the name', () => {
    expect(sender({ user_profile: { display_name: 'agent' } })).toEqual({ ...sender({}), name: 'agent' });
  });
});
