import { z } from 'zod';
import type { Provider } from '../../types.ts';
import { withOptions } from '../generic/own-options.ts';
import { checkHmac, signHmac } from '../kit/signature.ts';
import { authorOf } from './author.ts';
import { parse } from './parse.ts';
import { reply } from './reply.ts';
import { samples } from './samples.ts';
import { webhook } from './webhook.ts';

const SIGNATURE = { prefix: '', algorithm: 'sha256', encoding: 'hex' } as const;

/**
 * Sentry's integration platform (internal and public integrations, sentry.io and self-hosted). The client secret signs
 * the raw body alone: `Sentry-Hook-Timestamp`, `Request-ID` and the resource can be changed by anybody who has a
 * signed body, so no time window is drawn from them. It waits one second for an answer.
 * Source: getsentry/sentry, `app_platform_event.py`; docs.sentry.io, "Integration platform webhooks".
 */
const provider: Provider = {
  name: 'sentry',
  label: 'Sentry',
  // Not documented; an event is at most 1 MB when it is taken in.
  bodyLimit: 10 * 1024 * 1024,
  defaultAssociations: ['member'],
  webhook,
  samples,
  secretHeaders: [],

  // UI components and alert-rule actions are signed under the other name.
  verify: ({ headers, body }, secrets) =>
    checkHmac({
      ...SIGNATURE,
      header: headers['sentry-hook-signature'] ?? headers['sentry-app-signature'],
      signed: [body],
      secrets,
    }),

  sign: (body, { type, secret, deliveryId, now }) => ({
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'sentry/hookctl (https://sentry.io)',
      'request-id': deliveryId.replaceAll('-', ''),
      'sentry-hook-resource': type.split('.')[0] ?? type,
      'sentry-hook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'sentry-hook-signature': signHmac({ ...SIGNATURE, signed: [body] }, secret.reveal()),
    },
  }),

  deliveryId: (headers) => headers['request-id'] ?? null,
  eventName: (headers) => headers['sentry-hook-resource'] ?? null,

  parse,
  authorOf,
  reply,

  formFields: ({ url }) => [
    { label: 'Webhook URL', value: url },
    { label: 'Alert Rule Action', value: 'on' },
    { label: 'Permissions', value: 'Issue & Event: Read' },
    { label: 'Webhooks', value: 'issue, comment' },
    {
      label: 'Client Secret',
      value: 'made by Sentry: put it into the variable that the webhook names (SENTRY_CLIENT_SECRET)',
    },
  ],
};

export const sentry = withOptions(
  provider,
  z.strictObject({ baseUrl: z.url({ protocol: /^https?$/, error: 'expected a URL' }).optional() }),
);
