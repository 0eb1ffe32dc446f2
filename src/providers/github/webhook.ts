import type { BuiltInWebhook } from '../../types.ts';

/** Title, place, what was asked, and the text it was asked in: enough to start without opening a browser. */
function template(task: string): string {
  return [
    `${task}: {{@event.title}}`,
    '',
    '{{#if @argument}}Asked: {{@argument}}{{/if}}',
    'Repository: {{repository.full_name}}',
    'Link: {{@event.url}}',
    '',
    '{{#if issue.body}}{{issue.body}}{{else}}{{pull_request.body}}{{/if}}',
  ].join('\n');
}

/** The webhook at `/webhooks/github` when a project does not define its own. */
export const webhook: BuiltInWebhook = {
  name: 'github',
  secretEnv: 'GITHUB_WEBHOOK_SECRET',
  commandPrefix: '@agent',
  targetAgent: 'brain',
  defaultCommand: 'analyze',
  commands: [
    { name: 'analyze', aliases: ['analysis'], targetAgent: 'planning', template: template('Analyze') },
    { name: 'plan', targetAgent: 'planning', template: template('Plan') },
    { name: 'fix', targetAgent: 'executor', template: template('Fix'), requiresApproval: true },
    { name: 'review', template: template('Review') },
  ],
};
