import { z } from 'zod';
import { parseJson } from '../../lib/json.ts';
import type { BuiltInWebhook, JsonObject, Provider } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { textAt } from '../kit/payload.ts';
import { createProvider, signedBy } from '../provider.ts';
import { parse } from './parse.ts';
import { reply } from './reply.ts';

function template(task: string): string {
  return [
    `${task}: {{default @event.title @event.externalId}}`,
    '',
    '{{#if @argument}}Asked: {{@argument}}{{/if}}',
    'What happened: {{@event.type}}',
    'Link: {{default @event.url @event.externalId}}',
    '',
    '{{#with data.issue}}Issue: {{shortId}} in {{project.slug}}, level {{level}}, {{status}}{{/with}}',
    '{{#with data.event}}Level: {{level}}{{/with}}',
    '{{@event.details}}',
  ].join('\n');
}

/**
 * The webhook at `/webhooks/sentry` when a project does not define its own. No one writes `@agent` into an error, so
 * that the default command runs on new errors by itself; in comments the prefix is needed as everywhere.
 */
const webhook: BuiltInWebhook = {
  name: 'sentry',
  secretEnv: PROVIDERS.sentry.secretEnv,
  commandPrefix: '@agent',
  requirePrefix: false,
  targetAgent: 'brain',
  defaultCommand: 'analyze-error',
  events: ['issue.created', 'event_alert.triggered', 'metric_alert.critical'],
  commands: [
    {
      name: 'analyze-error',
      aliases: ['analyze'],
      targetAgent: 'planning',
      template: template('Analyze error'),
    },
    {
      name: 'fix-error',
      aliases: ['fix'],
      targetAgent: 'executor',
      template: template('Fix error'),
      requiresApproval: true,
    },
  ],
};

/** A comment is its actor's. All else is what the watched application said, which no one on Sentry wrote. */
function authorOf(payload: JsonObject, path: readonly string[]): string | null {
  return path[0] === 'data' && path[1] === 'comment' ? textAt(payload, 'actor', 'name') : null;
}

/**
 * Sentry's integration platform (internal and public integrations, sentry.io and self-hosted). The client secret signs
 * the raw body alone: `Sentry-Hook-Timestamp`, `Request-ID` and the resource can be changed by anybody who has a
 * signed body, so no time window is drawn from them. It waits one second for an answer.
 * Source: getsentry/sentry, `app_platform_event.py`; docs.sentry.io, "Integration platform webhooks".
 */
export const sentry: Provider = createProvider({
  name: 'sentry',
  // Not documented; an event is at most 1 MB when it is taken in.
  bodyLimit: 10 * 1024 * 1024,
  defaultAssociations: ['member'],
  webhook,
  options: z.strictObject({
    baseUrl: z.url({ protocol: /^https?$/, error: 'expected a URL' }).optional(),
  }),

  ...signedBy(
    // UI components and alert-rule actions are signed under the other name.
    { header: ['sentry-hook-signature', 'sentry-app-signature'] },
    {
      headers: ({ type, deliveryId, now }) => ({
        'user-agent': 'sentry/hookctl (https://sentry.io)',
        'request-id': deliveryId.replaceAll('-', ''),
        'sentry-hook-resource': type.split('.')[0] ?? type,
        'sentry-hook-timestamp': String(Math.floor(now.getTime() / 1000)),
      }),
    },
  ),
  deliveryId: (headers) => headers['request-id'] ?? null,
  eventName: (headers) => headers['sentry-hook-resource'] ?? null,

  decode: ({ body }) => (body.byteLength === 0 ? { ok: true, value: {} } : parseJson(body)),
  parse,
  authorOf,
  reply,

  form: ({ url }) => ({
    'Webhook URL': url,
    'Alert Rule Action': 'on',
    Permissions: 'Issue & Event: Read',
    Webhooks: 'issue, comment',
    'Client Secret': 'made by Sentry: put it into the variable that the webhook names (SENTRY_CLIENT_SECRET)',
  }),
});
