import { getPath, parseJson } from '../../lib/json.ts';
import type { Ack, BuiltInWebhook, JsonObject, Provider } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { isForm, parseForm } from '../kit/form.ts';
import { idAt, textAt } from '../kit/payload.ts';
import { createProvider } from '../provider.ts';
import { verifyAny } from '../scheme/verify.ts';
import { parse } from './parse.ts';
import { reply } from './reply.ts';
import { SCHEME, sign } from './sign.ts';
import { escapeText } from './text.ts';

/** What was asked, where and by whom; a slash command has no `event`, but fields of its own. */
function template(task: string): string {
  return [
    `${task}: {{default @argument "see the thread"}}`,
    '',
    'From: {{@sender.name}}',
    'Channel: {{#if event.channel}}{{event.channel}}{{else}}{{channel_name}}{{/if}}',
    'Link: {{@event.url}}',
    '',
    '{{@event.text}}',
  ].join('\n');
}

const HELP = 'What can be asked here:\n\n{{@commands}}';

/** The webhook at `/webhooks/slack` when a project does not define its own. */
const webhook: BuiltInWebhook = {
  name: 'slack',
  secretEnv: PROVIDERS.slack.secretEnv,
  commandPrefix: '@agent',
  targetAgent: 'brain',
  defaultCommand: 'analyze',
  commands: [
    { name: 'help', action: 'respond', template: HELP },
    { name: 'analyze', aliases: ['analysis'], targetAgent: 'planning', template: template('Analyze') },
    { name: 'execute', targetAgent: 'executor', template: template('Execute'), requiresApproval: true },
  ],
};

/** Who is named nearest above a value: `user` of a message or an interaction, `user_name` of a slash command. */
function authorOf(payload: JsonObject, path: readonly string[]): string | null {
  for (let depth = path.length - 1; depth >= 0; depth--) {
    const place = getPath(payload, path.slice(0, depth));
    const name =
      textAt(place, 'user_name') ??
      textAt(place, 'user', 'username') ??
      idAt(place, 'user', 'id') ??
      idAt(place, 'user') ??
      textAt(place, 'bot_profile', 'name') ??
      idAt(place, 'bot_id');
    if (name !== null) return name;
  }
  return null;
}

/** Slack turns the name of a user that somebody types into a mention: `U0HOOKBOT` is the app's bot in the samples. */
function spelling(text: string | null, type: string): string {
  const escaped = escapeText(text ?? '');
  return type === 'app_mention' ? escaped.replace(/(^|\s)@agent(?=\s|$)/, '$1<@U0HOOKBOT>') : escaped;
}

/** Anything but an empty body of a 2xx is shown to the user, or taken for a message. */
const EMPTY: Ack = { status: 200, headers: {}, body: '' };

/**
 * Slack: Events API, slash commands and interactivity, all at one URL. The signature covers a timestamp and the raw
 * bytes, also of forms. `commandPrefix` addresses the app: a mention of its bot user (`<@U…>`) and a slash command
 * both read as the prefix, so that `@agent analyze`, `<@U0BOT> analyze` and `/agent analyze` are one command.
 * Source: docs.slack.dev, "Verifying requests from Slack", "The Events API".
 */
export const slack: Provider = createProvider({
  name: 'slack',
  // Slack documents none; its longest messages stay far below this.
  bodyLimit: 4 * 1024 * 1024,
  defaultAssociations: ['member'],
  webhook,

  verify: (request, secrets, now) => verifyAny([SCHEME], request, secrets, now),
  sign,

  // The id of an event is in its body, where `parse` makes a semantic key of it.

  spelling,

  decode: (request) => (isForm(request.headers) ? { ok: true, value: {} } : parseJson(request.body)),
  parse,

  /** Slack asks now and then whether the certificate is good, unsigned. Nothing in such a body is believed. */
  answerUnsigned: ({ headers, body }) =>
    isForm(headers) && parseForm(body)?.get('ssl_check') === '1' ? EMPTY : null,

  acknowledge(_, parsed) {
    if (!parsed.ok) return null;
    const [event] = parsed.events;
    const challenge = event?.type === 'url_verification' ? textAt(event.payload, 'challenge') : null;
    if (challenge === null) return EMPTY;
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ challenge }),
    };
  },

  authorOf,
  reply,

  form: ({ url }) => ({
    'Event Subscriptions › Request URL': url,
    'Subscribe to bot events': 'app_mention, message.im',
    'Slash Commands › Request URL': url,
    'Interactivity & Shortcuts › Request URL': url,
    'Basic Information › Signing Secret':
      'made by Slack: put it into the variable that the webhook names (SLACK_SIGNING_SECRET)',
  }),
});
