import type { BuiltInWebhook } from '../../types.ts';

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
export const webhook: BuiltInWebhook = {
  name: 'slack',
  secretEnv: 'SLACK_SIGNING_SECRET',
  commandPrefix: '@agent',
  targetAgent: 'brain',
  defaultCommand: 'analyze',
  commands: [
    { name: 'help', action: 'respond', template: HELP },
    { name: 'analyze', aliases: ['analysis'], targetAgent: 'planning', template: template('Analyze') },
    { name: 'execute', targetAgent: 'executor', template: template('Execute'), requiresApproval: true },
  ],
};
