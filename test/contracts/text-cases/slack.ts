import { NO_TEXT, type TextCase, WROTE } from './case.ts';

const MESSAGE = 'message.channel';
const BOT = 'acts through app A1';

/** Machine accounts: docs.slack.dev, "bot_message", "Slackbot"; @slack/types `GenericMessageEvent`, `BotMessageEvent`. */
export const slack: readonly TextCase[] = [
  { name: 'a bot', sample: MESSAGE, change: { event: { bot_id: 'B1', app_id: 'A1' } }, refused: BOT },
  {
    name: 'a workflow',
    sample: MESSAGE,
    change: { event: { subtype: 'bot_message', bot_id: 'B1', bot_profile: { app_id: 'A1' } } },
    refused: BOT,
  },
  {
    name: 'an app that posts as a person',
    sample: MESSAGE,
    change: { event: { app_id: 'A1' } },
    refused: BOT,
  },
  {
    name: 'a listed bot',
    sample: MESSAGE,
    change: { event: { bot_id: 'B1', app_id: 'A1' } },
    apps: ['A1'],
    refused: null,
  },
  {
    name: 'Slackbot',
    sample: MESSAGE,
    change: { event: { user: 'USLACKBOT' } },
    refused: 'is a bot, and bots command only by a listed app id',
  },
  {
    name: 'a message that another edited',
    sample: 'message.message_changed',
    change: { event: { message: { user: 'U0MALLORY' } } },
    refused: WROTE,
  },
  {
    name: 'A3: an edit whose editor is not named',
    sample: 'message.message_changed',
    change: { event: { message: { edited: { user: null } } } },
    refused: 'names no sender',
  },
  {
    name: 'a message that was shared into the channel',
    sample: MESSAGE,
    change: { event: { text: 'see', attachments: [{ is_share: true, text: '@agent analyze' }] } },
    refused: 'the text has no',
  },
  {
    name: 'a message that was deleted',
    sample: MESSAGE,
    change: { event: { subtype: 'message_deleted' } },
    refused: NO_TEXT,
  },
  { name: 'a topic', sample: MESSAGE, change: { event: { subtype: 'channel_topic' } }, refused: NO_TEXT },
  {
    name: 'a reply that is sent to the channel too',
    sample: MESSAGE,
    change: { event: { subtype: 'thread_broadcast', thread_ts: '1.1' } },
    refused: null,
  },
];
