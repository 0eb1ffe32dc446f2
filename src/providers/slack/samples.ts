import type { JsonObject, Sample, SampleContext } from '../../types.ts';
import { escapeText } from './text.ts';

const TEAM = 'T0ACME';
const CHANNEL = 'C0GENERAL';
const APP = 'A0HOOKCTL';
const BOT_USER = 'U0HOOKBOT';
const PERSON = 'U0ADA';

/** Payloads as Slack sends them, by one full member of one workspace; forms as the JSON that `sign` makes a form of. */
export const samples: readonly Sample[] = [
  { type: 'app_mention', build: (context) => callback(context, mention(context)) },
  { type: 'message.channel', build: (context) => callback(context, message(context)) },
  {
    type: 'message.im',
    build: (context) => callback(context, { ...message(context), channel: 'D0ADA', channel_type: 'im' }),
  },
  { type: 'message.message_changed', build: (context) => callback(context, edit(context)) },
  { type: 'reaction_added', build: (context) => callback(context, reaction(context)) },
  { type: 'slash_command', build: slashCommand },
  { type: 'block_actions', build: button },
  {
    type: 'url_verification',
    build: (context) => ({
      token: 'deprecated',
      challenge: `challenge-${context.nextNumber()}`,
      type: 'url_verification',
    }),
  },
];

function callback(context: SampleContext, event: JsonObject): JsonObject {
  return {
    token: 'deprecated',
    team_id: TEAM,
    api_app_id: APP,
    event,
    type: 'event_callback',
    event_id: `Ev${context.nextNumber()}`,
    event_time: Math.floor(context.now.getTime() / 1000),
    authorizations: [
      { enterprise_id: null, team_id: TEAM, user_id: BOT_USER, is_bot: true, is_enterprise_install: false },
    ],
    is_ext_shared_channel: false,
  };
}

function message(context: SampleContext) {
  const ts = timestamp(context);
  return {
    type: 'message',
    user: PERSON,
    text: escapeText(context.text ?? ''),
    ts,
    client_msg_id: `msg-${context.nextNumber()}`,
    team: TEAM,
    channel: CHANNEL,
    event_ts: ts,
    channel_type: 'channel',
  };
}

/** Slack turns the name of a user that somebody types into a mention. */
function mention(context: SampleContext): JsonObject {
  const { channel_type: _, text, ...shared } = message(context);
  return { ...shared, type: 'app_mention', text: text.replace(/(^|\s)@agent(?=\s|$)/, `$1<@${BOT_USER}>`) };
}

function edit(context: SampleContext): JsonObject {
  const { type: _, channel, channel_type, ...before } = message(context);
  const ts = timestamp(context);
  return {
    type: 'message',
    subtype: 'message_changed',
    hidden: true,
    message: { ...before, type: 'message', edited: { user: PERSON, ts } },
    previous_message: { ...before, type: 'message', text: 'before' },
    channel,
    channel_type,
    ts,
    event_ts: ts,
  };
}

function reaction(context: SampleContext): JsonObject {
  const item = { type: 'message', channel: CHANNEL, ts: timestamp(context) };
  return {
    type: 'reaction_added',
    user: PERSON,
    reaction: 'eyes',
    item_user: PERSON,
    item,
    event_ts: timestamp(context),
  };
}

function slashCommand(context: SampleContext): JsonObject {
  return {
    token: 'deprecated',
    team_id: TEAM,
    team_domain: 'acme',
    channel_id: CHANNEL,
    channel_name: 'general',
    user_id: PERSON,
    user_name: 'ada',
    command: '/agent',
    text: escapeText(context.text ?? ''),
    api_app_id: APP,
    is_enterprise_install: 'false',
    response_url: `https://hooks.slack.com/commands/${TEAM}/${context.nextNumber()}/sample`,
    trigger_id: `${context.nextNumber()}.${context.nextNumber()}.sample`,
  };
}

function button(context: SampleContext): JsonObject {
  const ts = timestamp(context);
  return {
    type: 'block_actions',
    user: { id: PERSON, username: 'ada', name: 'ada', team_id: TEAM },
    api_app_id: APP,
    token: 'deprecated',
    container: { type: 'message', message_ts: ts, channel_id: CHANNEL, is_ephemeral: false },
    trigger_id: `${context.nextNumber()}.${context.nextNumber()}.sample`,
    team: { id: TEAM, domain: 'acme' },
    channel: { id: CHANNEL, name: 'general' },
    message: { type: 'message', user: BOT_USER, bot_id: 'B0HOOKCTL', text: 'May I?', ts },
    response_url: `https://hooks.slack.com/actions/${TEAM}/${context.nextNumber()}/sample`,
    actions: [{ action_id: 'approve', block_id: 'question', type: 'button', value: 'yes', action_ts: ts }],
  };
}

/** `1700000000.000123`: seconds and a number that makes it unique in its channel. */
function timestamp({ now, nextNumber }: SampleContext): string {
  return `${Math.floor(now.getTime() / 1000)}.${String(nextNumber() % 1_000_000).padStart(6, '0')}`;
}
