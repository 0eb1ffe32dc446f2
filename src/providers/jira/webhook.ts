import type { BuiltInWebhook } from '../../types.ts';

function template(task: string): string {
  return [
    `${task}: {{@event.title}}`,
    '',
    '{{#if @argument}}Asked: {{@argument}}{{/if}}',
    'Issue: {{issue.key}}',
    'Link: {{@event.url}}',
    '',
    '{{issue.fields.description}}',
  ].join('\n');
}

/** The webhook at `/webhooks/jira` when a project does not define its own. */
export const webhook: BuiltInWebhook = {
  name: 'jira',
  secretEnv: 'JIRA_WEBHOOK_SECRET',
  commandPrefix: '@agent',
  targetAgent: 'brain',
  defaultCommand: 'analyze',
  commands: [
    { name: 'analyze', aliases: ['analysis'], targetAgent: 'planning', template: template('Analyze') },
    { name: 'plan', targetAgent: 'planning', template: template('Plan') },
    { name: 'fix', targetAgent: 'executor', template: template('Fix'), requiresApproval: true },
  ],
};
