import type { BuiltInWebhook } from '../../types.ts';

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
 * The webhook at `/webhooks/sentry` when a project does not define its own. Nobody writes `@agent` into an error, so
 * that the default command runs on new errors by itself; in comments the prefix is needed as everywhere.
 */
export const webhook: BuiltInWebhook = {
  name: 'sentry',
  secretEnv: 'SENTRY_CLIENT_SECRET',
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
