import type { BlockAction } from '@slack/bolt';
import type { RichTextBlock } from '@slack/types';
import { describe, expect, test } from 'vitest';
import { findMention } from '../../src/lib/text/mention.ts';
import { slack } from '../../src/providers/slack/index.ts';
import type { JsonObject } from '../../src/types.ts';
import { json, keysOf, onlyEvent, request, samplePayload, signed } from './support.ts';

const SETTINGS = { commandPrefix: '@agent', options: {} };
const parse = (payload: unknown) =>
  slack.parse(request(json(payload), { 'content-type': 'application/json' }), SETTINGS);
const event = (payload: unknown) => onlyEvent(parse(payload));

function message(change: object, envelope: JsonObject = {}): JsonObject {
  const payload = samplePayload(slack, 'message.channel', 'x');
  return { ...payload, event: { ...(payload.event as JsonObject), ...change }, ...envelope };
}

const BOT = 'U0HOOKBOT';
type Section = RichTextBlock['elements'][number];
/** Typed by Slack's own package, so that the fields are those that Slack sends. */
const richText = (...elements: readonly Section[]): RichTextBlock => ({
  type: 'rich_text',
  elements: [...elements],
});
const called = { type: 'user', user_id: BOT } as const;
const words = (text: string) => ({ type: 'text', text }) as const;
const line = (text: string): Section => ({ type: 'rich_text_section', elements: [called, words(text)] });
const app = { bot_id: 'B1', app_id: 'A0ALERTS', user: 'U0ALERTS', text: 'New incident' };
const said = (...blocks: readonly unknown[]) => event(message({ ...app, blocks })).text;

describe('B13: the words of an app are in its blocks', () => {
  test('B13: a mention as a user element is the prefix, although the text for notifications has none', () => {
    expect(event(message({ ...app, blocks: [richText(line(' analyze a < b & c'))] }))).toMatchObject({
      text: '@agent analyze a < b & c',
      sender: { kind: 'bot', appId: 'A0ALERTS' },
      author: { id: 'U0ALERTS' },
    });
  });

  test.each([
    [
      'in a list',
      richText({
        type: 'rich_text_list',
        style: 'bullet',
        elements: [{ type: 'rich_text_section', elements: [called, words(' fix')] }],
      }),
      '• @agent fix',
    ],
    [
      'in a section of mrkdwn',
      { type: 'section', text: { type: 'mrkdwn', text: `<@${BOT}> fix` } },
      '@agent fix',
    ],
    [
      'beside a link, a channel and a group',
      richText({
        type: 'rich_text_section',
        elements: [
          called,
          words(' see '),
          { type: 'link', url: 'https://x.test/?a=1&b=2', text: 'x' },
          { type: 'channel', channel_id: 'C1' },
          { type: 'usergroup', usergroup_id: 'S1' },
        ],
      }),
      '@agent see x (https://x.test/?a=1&b=2)#C1@S1',
    ],
  ])('B13: %s', (_, block, expected) => expect(said(block)).toBe(expected));

  test.each([
    ['a quote', richText({ type: 'rich_text_quote', elements: [called, words(' fix')] }), '> @agent fix'],
    [
      'a list in a quote',
      richText({
        ...{ type: 'rich_text_list', style: 'bullet', border: 1 },
        elements: [{ type: 'rich_text_section', elements: [called, words(' fix')] }],
      }),
      '> • @agent fix',
    ],
    [
      'a code block',
      richText({ type: 'rich_text_preformatted', border: 0, elements: [words(`<@${BOT}> fix`)] }),
      'New incident',
    ],
  ])('B13: %s stays one', (_, block, expected) => expect(said(block)).toBe(expected));

  test('B13: what is typed in a block is no mention', () => {
    const typed = richText({ type: 'rich_text_section', elements: [words(`<@${BOT}> fix`)] });
    expect(said(typed)).toBe('New incident');
  });

  test.each([
    ['the preview of a link', { attachments: [{ from_url: 'https://x.test', text: `<@${BOT}> fix` }] }],
    [
      'a message that was shared',
      {
        attachments: [
          {
            is_share: true,
            is_msg_unfurl: true,
            text: `<@${BOT}> fix`,
            message_blocks: [{ message: { blocks: [richText(line(' fix'))] } }],
          },
        ],
      },
    ],
    ['blocks of an attachment', { attachments: [{ blocks: [richText(line(' fix'))] }] }],
    [
      'a button',
      {
        blocks: [
          {
            type: 'actions',
            elements: [{ type: 'button', text: { type: 'plain_text', text: `<@${BOT}> fix` } }],
          },
        ],
      },
    ],
  ])('B13: %s stays out', (_, change) =>
    expect(event(message({ ...app, ...change })).text).toBe('New incident'),
  );

  const section = (...elements: readonly object[]) => ({
    type: 'rich_text',
    elements: [{ type: 'rich_text_section', elements }],
  });
  const code = (text: string) => ({ ...words(text), style: { code: true } });
  const quote = { type: 'rich_text_quote', elements: [words('said '), called, words(' fix')] };
  test.each([
    [
      'a backtick that is typed before the mention',
      [section(words('it`s down '), called, words(' fix it`s'))],
      true,
    ],
    ['fences that are typed', [section(words('``` '), called, words(' fix ```'))], true],
    ['a `>` that is typed', [section(words('> '), called, words(' fix'))], true],
    ['code before it', [section(code('a`b'), words(' '), called, words(' fix'))], true],
    ['words directly beside it', [section(words('hello'), called, words('fix it'))], true],
    ['bold words', [section(called, { ...words(' fix'), style: { bold: true } })], true],
    [
      'a header',
      [{ type: 'header', text: { type: 'plain_text', text: 'Down' } }, section(called, words(' fix'))],
      true,
    ],
    [
      'a context of mrkdwn',
      [{ type: 'context', elements: [{ type: 'mrkdwn', text: `<@${BOT}> fix` }] }],
      true,
    ],
    ['a quote above it', [{ type: 'rich_text', elements: [quote, line(' fix')] }], true],
    ['a mention in code', [section({ ...called, style: { code: true } }, words(' fix'))], false],
    ['a quote alone', [{ type: 'rich_text', elements: [quote] }], false],
    [
      'a code block alone',
      [{ type: 'rich_text', elements: [{ type: 'rich_text_preformatted', elements: [called] }] }],
      false,
    ],
    [
      'a section of mrkdwn in code',
      [{ type: 'section', text: { type: 'mrkdwn', text: `\`<@${BOT}> fix\`` } }],
      false,
    ],
    [
      'a section of mrkdwn in a quote',
      [{ type: 'section', text: { type: 'mrkdwn', text: `&gt; <@${BOT}> fix` } }],
      false,
    ],
    [
      'a group in place of the app',
      [section({ type: 'usergroup', usergroup_id: 'S1' }, words(' fix'))],
      false,
    ],
    ['everybody', [section({ type: 'broadcast', range: 'here' }, words(' fix'))], false],
  ])('B13: %s', (_, blocks, speaks) => {
    const { text, textFormat } = event(message({ ...app, blocks }));
    const { mention } = findMention(text ?? '', textFormat ?? 'markdown', '@agent');
    expect({ word: mention?.word ?? null, text }).toEqual({ word: speaks ? 'fix' : null, text });
  });

  test('B13: a person’s text stays as it is, and a message without one is read from its blocks', () => {
    const blocks = [richText(line(' fix'))];
    expect(event(message({ text: `<@${BOT}> *fix*`, blocks })).text).toBe('@agent *fix*');
    expect(event(message({ text: '', blocks })).text).toBe('@agent fix');
    expect(event(message({ text: undefined, blocks })).text).toBe('@agent fix');
  });

  test('B13: an edit of the blocks alone is one', () => {
    const edit = samplePayload(slack, 'message.message_changed', 'same');
    const inner = edit.event as JsonObject;
    const before = { ...(inner.previous_message as JsonObject), text: 'same' };
    const after = { ...(inner.message as JsonObject), blocks: [richText(line(' fix'))] };
    const changed = (now: unknown) =>
      event({ ...edit, event: { ...inner, message: now, previous_message: before } });
    expect(changed(after)).toMatchObject({ text: '@agent fix', textOrigin: 'edited' });
    expect(changed(inner.message).text).toBeNull();
  });
});

describe('A5: an organisation of several workspaces (Enterprise Grid)', () => {
  const click = (change: object) => {
    const payload = { ...samplePayload(slack, 'block_actions'), ...change };
    return onlyEvent(slack.parse(signed(slack, json(payload), { type: 'block_actions' }), SETTINGS)).sender
      ?.association;
  };
  type Grid = Pick<BlockAction, 'team' | 'enterprise' | 'is_enterprise_install'>;
  const team = { id: 'T0ACME', domain: 'acme', enterprise_id: 'E0ACME', enterprise_name: 'Acme' };
  const grid: Grid = { team, enterprise: { id: 'E0ACME', name: 'Acme' }, is_enterprise_install: false };
  const user = (change: object) => ({ user: { id: 'U1', username: 'bob', ...change } });
  const sister = { team_id: 'T0SISTER' };

  const foreign = { team_id: 'T0OTHER' };

  test.each([
    [
      'a click from a sister workspace, of which nothing else is said',
      { ...grid, ...user(sister) },
      'member',
    ],
    ['the same without the organisation', { ...grid, enterprise: null, ...user(sister) }, 'unstated'],
    [
      'another company that says so',
      { ...grid, ...user({ ...foreign, enterprise_id: 'E0OTHER' }) },
      'external',
    ],
    [
      'another company’s organisation',
      { ...grid, enterprise: { id: 'E0OTHER' }, ...user(foreign) },
      'external',
    ],
    [
      'an app that the whole organisation installed, of which nothing else is said',
      { ...grid, is_enterprise_install: true, ...user(sister) },
      'member',
    ],
    [
      'such an app without a workspace, of which nothing else is said',
      { ...grid, team: null, is_enterprise_install: true, ...user(sister) },
      'member',
    ],
    [
      'a click from a sister workspace',
      { ...grid, ...user({ ...sister, enterprise_id: 'E0ACME' }) },
      'member',
    ],
    ['a user without a workspace', { ...grid, ...user({}) }, 'unstated'],
    [
      'a shortcut outside of channels, which only own people have',
      { ...grid, type: 'shortcut', team: null, is_enterprise_install: true, ...user(sister) },
      'member',
    ],
    [
      'a shortcut of a message, which may be in a shared channel',
      { ...grid, type: 'message_action', enterprise: null, ...user(foreign) },
      'unstated',
    ],
    [
      'a stranger’s organisation where the workspace has none',
      {
        team: { id: 'T0ACME', domain: 'acme' },
        enterprise: { id: 'E0OTHER' },
        ...user({ team_id: 'E0OTHER' }),
      },
      'external',
    ],
    [
      'a modal of the organisation by a stranger',
      { ...grid, ...user(foreign), view: { app_installed_team_id: 'E0ACME' } },
      'unstated',
    ],
    [
      'a modal of the organisation by somebody of another one',
      {
        ...grid,
        ...user({ ...foreign, enterprise_id: 'E0OTHER' }),
        view: { app_installed_team_id: 'E0ACME' },
      },
      'external',
    ],
    [
      'the same, said of the user',
      { ...grid, ...user({ ...sister, enterprise_user: { enterprise_id: 'E0ACME' } }) },
      'member',
    ],
    ['the organisation in place of the workspace', { ...grid, ...user({ team_id: 'E0ACME' }) }, 'member'],
    [
      'an app that the whole organisation installed',
      { ...grid, is_enterprise_install: true, ...user({ ...sister, enterprise: { id: 'E0ACME' } }) },
      'member',
    ],
    [
      'such an app, without a workspace',
      { ...grid, team: null, is_enterprise_install: true, ...user({ team_id: 'E0ACME' }) },
      'member',
    ],
    ['the workspace itself', { ...grid, ...user({ team_id: 'T0ACME' }) }, 'member'],
    ['another organisation', { ...grid, ...user({ team_id: 'E0OTHER' }) }, 'external'],
    [
      'another organisation, said of the user',
      { ...grid, ...user({ ...sister, enterprise_user: { enterprise_id: 'E0OTHER' } }) },
      'external',
    ],
    [
      'the actor’s organisation is another',
      { ...grid, enterprise: { id: 'E0OTHER', name: 'x' }, ...user(sister) },
      'external',
    ],
    [
      'a workspace without an organisation',
      { team: { id: 'T0ACME', domain: 'acme' }, ...user(sister) },
      'external',
    ],
    [
      'a workspace whose organisation is not told',
      { ...grid, team: { id: 'T0ACME', domain: 'acme' }, ...user(sister) },
      'external',
    ],
    [
      'a modal that a stranger opened in a shared channel',
      {
        team: { id: 'T0OTHER', domain: 'other' },
        enterprise: null,
        ...user({ team_id: 'T0OTHER' }),
        view: { app_installed_team_id: 'T0ACME' },
      },
      'external',
    ],
    [
      'the same by somebody of another organisation',
      {
        team: { id: 'T0OTHER', domain: 'other', enterprise_id: 'E0OTHER' },
        enterprise: { id: 'E0OTHER', name: 'x' },
        ...user({ team_id: 'T0OTHER' }),
        view: { app_installed_team_id: 'T0ACME' },
      },
      'external',
    ],
    [
      'a modal of an app that the organisation installed',
      {
        ...grid,
        team: { ...team, id: 'T0SISTER' },
        ...user({ ...sister, enterprise_id: 'E0ACME' }),
        view: { app_installed_team_id: 'E0ACME' },
      },
      'member',
    ],
    [
      'a modal of one’s own workspace',
      { ...grid, ...user({ team_id: 'T0ACME' }), view: { app_installed_team_id: 'T0ACME' } },
      'member',
    ],
    [
      'a stranger who is marked as one',
      { ...grid, ...user({ team_id: 'T0ACME', is_stranger: true }) },
      'external',
    ],
    ['a guest', { ...grid, ...user({ team_id: 'T0ACME', is_restricted: true }) }, 'guest'],
  ])('A5: %s', (_, change, association) => expect(click(change)).toBe(association));

  test('A5: a message in a shared channel by the organisation that wrote it', () => {
    const authorizations = [
      { enterprise_id: 'E0ACME', team_id: 'T0ACME', user_id: BOT, is_bot: true, is_enterprise_install: true },
    ];
    const by = (userTeam: string) =>
      event(message({ user_team: userTeam }, { is_ext_shared_channel: true, authorizations })).sender
        ?.association;
    expect(['E0ACME', 'T0ACME', 'E0OTHER', 'T0OTHER'].map(by)).toEqual([
      'member',
      'member',
      'external',
      'external',
    ]);
  });
});

test('C3: two workspaces tell of one message in a shared channel: one act, one subject', () => {
  const text = `<@${BOT}> analyze`;
  const shared = { text, ts: '1.2', channel: 'C0SHARED', user_team: 'T0HOME' };
  const told = [
    message({ ...shared, type: 'app_mention' }, { team_id: 'T0OTHER', event_id: 'Ev1' }),
    message(shared, { team_id: 'T0HOME', event_id: 'Ev2' }),
  ];
  const keys = told.map((payload) => keysOf(parse(payload)).filter((key) => key.startsWith('message:')));
  expect(keys[0]).toEqual(keys[1]);
  const [first, second] = told.map(event);
  expect(first?.stableIds).toEqual(['slack:slack.com/C0SHARED:1.2']);
  expect(second?.stableIds).toEqual(first?.stableIds);
  const reply = event(message({ ...shared, ts: '1.9', thread_ts: '1.2' }, { team_id: 'T0OTHER' }));
  expect(reply.stableIds).toEqual(first?.stableIds);
});
