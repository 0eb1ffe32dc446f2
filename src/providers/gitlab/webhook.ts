import type { BuiltInWebhook } from '../../types.ts';

function template(task: string): string {
  return [
    `${task}: {{@event.title}}`,
    '',
    '{{#if @argument}}Asked: {{@argument}}{{/if}}',
    'Project: {{project.path_with_namespace}}',
    'Link: {{@event.url}}',
    '',
    '{{default issue.description (default merge_request.description object_attributes.description)}}',
  ].join('\n');
}

/** The webhook at `/webhooks/gitlab` when a project does not define its own. */
export const webhook: BuiltInWebhook = {
  name: 'gitlab',
  secretEnv: 'GITLAB_WEBHOOK_SECRET',
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
