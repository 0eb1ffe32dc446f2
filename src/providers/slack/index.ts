import type { Ack, Provider } from '../../types.ts';
import { isForm, parseForm } from '../kit/form.ts';
import { textAt } from '../kit/payload.ts';
import { checkHmac } from '../kit/signature.ts';
import { checkSignedTime } from '../kit/signed-time.ts';
import { authorOf } from './author.ts';
import { parse } from './parse.ts';
import { reply } from './reply.ts';
import { samples } from './samples.ts';
import { SIGNATURE, sign, signedParts } from './sign.ts';
import { webhook } from './webhook.ts';

/** Anything but an empty body of a 2xx is shown to the user, or taken for a message. */
const EMPTY: Ack = { status: 200, headers: {}, body: '' };

/**
 * Slack: Events API, slash commands and interactivity, all at one URL. The signature covers a timestamp and the raw
 * bytes, also of forms. `commandPrefix` stands for the app: a mention of its bot user (`<@U…>`) and a slash command
 * both read as the prefix, so that `@agent analyze`, `<@U0BOT> analyze` and `/agent analyze` are one command.
 * Source: docs.slack.dev, "Verifying requests from Slack", "The Events API".
 */
export const slack: Provider = {
  name: 'slack',
  label: 'Slack',
  // Slack documents none; its longest messages stay far below this.
  bodyLimit: 4 * 1024 * 1024,
  defaultAssociations: ['member'],
  webhook,
  samples,
  secretHeaders: [],

  verify({ headers, body }, secrets, now) {
    const timestamp = headers['x-slack-request-timestamp'];
    const signed = signedParts(timestamp ?? '', body);
    const verdict = checkHmac({ ...SIGNATURE, header: headers['x-slack-signature'], signed, secrets });
    return checkSignedTime(verdict, timestamp, now);
  },

  sign,

  // The id of an event stands in its body, where `parse` makes a semantic key of it.
  deliveryId: () => null,
  eventName: () => null,

  parse: (request, settings) => parse(request, settings?.commandPrefix ?? '@agent'),

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

  formFields: ({ url }) => [
    { label: 'Event Subscriptions › Request URL', value: url },
    { label: 'Subscribe to bot events', value: 'app_mention, message.im' },
    { label: 'Slash Commands › Request URL', value: url },
    { label: 'Interactivity & Shortcuts › Request URL', value: url },
    {
      label: 'Basic Information › Signing Secret',
      value: 'made by Slack: put it into the variable that the webhook names (SLACK_SIGNING_SECRET)',
    },
  ],
};
