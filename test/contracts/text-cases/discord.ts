import type { JsonObject } from '../../../src/types.ts';
import { APP, BOT, NO_TEXT, type TextCase } from './case.ts';

const COMMAND = 'application_command';
const user = (change: JsonObject) => ({ member: { user: { ...change } } });

/** Machine accounts: discord.com/developers, "User Object" (`bot`, `system`), "Message Object" (`webhook_id`). */
export const discord: readonly TextCase[] = [
  { name: 'a bot', sample: COMMAND, change: user({ bot: true }), refused: APP },
  {
    name: 'a listed bot',
    sample: COMMAND,
    change: user({ bot: true }),
    apps: ['53908232506183680'],
    refused: null,
  },
  { name: 'a system account', sample: COMMAND, change: user({ system: true }), refused: BOT },
  { name: 'a webhook', sample: COMMAND, change: { webhook_id: '99' }, refused: APP },
  {
    name: 'a menu command on the message of another: its name commands, not that message',
    sample: COMMAND,
    change: {
      data: {
        type: 3,
        options: null,
        target_id: '7',
        resolved: { messages: { 7: { content: '@agent fix it' } } },
      },
    },
    refused: null,
  },
  {
    name: 'a button on the message of another',
    sample: 'message_component',
    change: { message: { content: '@agent fix it', author: { id: '7' } } },
    refused: NO_TEXT,
  },
];
