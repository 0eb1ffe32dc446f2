import type { BuiltInWebhook } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';

/**
 * The webhook of a host of issues, at `/webhooks/<name>`, when a project does not define its own. `about`: lines of the
 * task behind the title and what was asked: place, link, and the text it was asked in, enough to start without a browser.
 */
export function defaultWebhook(
  name: 'github' | 'gitlab' | 'jira',
  about: readonly string[],
  { hasReviews = true }: { readonly hasReviews?: boolean } = {},
): BuiltInWebhook {
  const template = (task: string) =>
    [`${task}: {{@event.title}}`, '', '{{#if @argument}}Asked: {{@argument}}{{/if}}', ...about].join('\n');
  return {
    name,
    secretEnv: PROVIDERS[name].secretEnv,
    commandPrefix: '@agent',
    targetAgent: 'brain',
    defaultCommand: 'analyze',
    commands: [
      { name: 'analyze', aliases: ['analysis'], targetAgent: 'planning', template: template('Analyze') },
      { name: 'plan', targetAgent: 'planning', template: template('Plan') },
      { name: 'fix', targetAgent: 'executor', template: template('Fix'), requiresApproval: true },
      ...(hasReviews ? [{ name: 'review', template: template('Review') }] : []),
    ],
  };
}
