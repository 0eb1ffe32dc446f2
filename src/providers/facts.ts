import type { AccountDefaults } from '../types.ts';

/**
 * What is known of a built-in provider without loading it. Commands that list, and everything about providers that no
 * webhook uses, read this alone; the provider takes it from here, and a test compares the samples.
 */
interface ProviderFacts {
  /** As people write it. */
  readonly label: string;
  /** Variable with the secret of its own webhook, which is served without being defined. Left out: it has none. */
  readonly secretEnv?: string;
  /** Where its account is found. Left out: it cannot be answered. */
  readonly account?: AccountDefaults;
  /** Event types of its samples, in the order of `samples.json`. */
  readonly samples: readonly string[];
}

function account(tokenEnv: string | null, given: Partial<AccountDefaults>): AccountDefaults {
  return { tokenEnv, userEnv: null, baseUrlEnv: null, baseUrl: null, ...given };
}

/** The built-in providers, in the order in which lists show them. */
export const PROVIDERS = {
  github: {
    label: 'GitHub',
    secretEnv: 'GITHUB_WEBHOOK_SECRET',
    account: account('GITHUB_TOKEN', { baseUrl: 'https://api.github.com' }),
    samples: [
      'issue_comment.created',
      'issue_comment.edited',
      'issues.opened',
      'issues.labeled',
      'pull_request.opened',
      'pull_request_review.submitted',
      'pull_request_review_comment.created',
      'push',
      'ping',
    ],
  },
  jira: {
    label: 'Jira',
    secretEnv: 'JIRA_WEBHOOK_SECRET',
    account: account('JIRA_API_TOKEN', { userEnv: 'JIRA_EMAIL', baseUrlEnv: 'JIRA_BASE_URL' }),
    samples: [
      'comment_created',
      'comment_updated',
      'jira:issue_created',
      'jira:issue_updated',
      'jira:issue_deleted',
      'sprint_started',
    ],
  },
  slack: {
    label: 'Slack',
    secretEnv: 'SLACK_SIGNING_SECRET',
    account: account('SLACK_BOT_TOKEN', { baseUrl: 'https://slack.com/api' }),
    samples: [
      'app_mention',
      'message.channel',
      'message.im',
      'message.message_changed',
      'reaction_added',
      'slash_command',
      'block_actions',
      'url_verification',
    ],
  },
  sentry: {
    label: 'Sentry',
    secretEnv: 'SENTRY_CLIENT_SECRET',
    account: account('SENTRY_AUTH_TOKEN', { baseUrlEnv: 'SENTRY_URL', baseUrl: 'https://sentry.io' }),
    samples: [
      'issue.created',
      'issue.assigned',
      'issue.resolved',
      'comment.created',
      'comment.updated',
      'event_alert.triggered',
      'metric_alert.critical',
      'error.created',
      'installation.created',
    ],
  },
  gitlab: {
    label: 'GitLab',
    secretEnv: 'GITLAB_WEBHOOK_SECRET',
    account: account('GITLAB_TOKEN', { baseUrlEnv: 'GITLAB_URL', baseUrl: 'https://gitlab.com' }),
    samples: [
      'note.create',
      'note.update',
      'issue.open',
      'issue.close',
      'merge_request.open',
      'merge_request.merge',
      'pipeline',
      'push',
    ],
  },
  gitea: {
    label: 'Gitea, Forgejo',
    account: account('GITEA_TOKEN', { baseUrlEnv: 'GITEA_URL' }),
    samples: [
      'issue_comment.created',
      'issue_comment.edited',
      'issues.opened',
      'pull_request.opened',
      'pull_request_comment.reviewed',
      'push',
    ],
  },
  bitbucket: {
    label: 'Bitbucket',
    account: account('BITBUCKET_TOKEN', { userEnv: 'BITBUCKET_EMAIL', baseUrl: 'https://api.bitbucket.org' }),
    samples: [
      'pullrequest:comment_created',
      'pullrequest:comment_updated',
      'pullrequest:created',
      'issue:comment_created',
      'repo:push',
      'pr:comment:added',
    ],
  },
  linear: {
    label: 'Linear',
    account: account('LINEAR_API_KEY', { baseUrl: 'https://api.linear.app' }),
    samples: [
      'Comment.create',
      'Comment.update',
      'Issue.create',
      'Issue.update',
      'AgentSessionEvent.created',
    ],
  },
  discord: {
    label: 'Discord',
    account: account(null, { baseUrl: 'https://discord.com/api/v10' }),
    samples: ['application_command', 'message_component', 'modal_submit', 'ping'],
  },
  pagerduty: {
    label: 'PagerDuty',
    account: account('PAGERDUTY_TOKEN', { userEnv: 'PAGERDUTY_EMAIL', baseUrl: 'https://api.pagerduty.com' }),
    samples: ['incident.triggered', 'incident.annotated', 'incident.resolved', 'pagey.ping'],
  },
  stripe: {
    label: 'Stripe',
    // It can't be answered: the account makes hooks.
    account: account('STRIPE_API_KEY', { baseUrl: 'https://api.stripe.com' }),
    samples: ['invoice.payment_failed', 'charge.dispute.created', 'customer.subscription.deleted'],
  },
  shopify: {
    label: 'Shopify',
    // As Stripe's.
    account: account('SHOPIFY_ACCESS_TOKEN', { baseUrlEnv: 'SHOPIFY_URL' }),
    samples: ['orders/create', 'orders/cancelled', 'products/update', 'app/uninstalled'],
  },
  standard: { label: 'Standard Webhooks', samples: ['contact.created', 'invoice.paid'] },
  alertmanager: { label: 'Alertmanager', samples: ['alert.firing', 'alert.resolved'] },
  grafana: { label: 'Grafana', samples: ['alert.firing', 'alert.resolved'] },
  registry: { label: 'Container registry', samples: ['push', 'pull', 'delete'] },
  generic: { label: 'Generic', samples: ['event'] },
  // Described by settings: `presets/`.
  ghost: { label: 'Ghost', samples: ['post.published', 'member.added'] },
  strapi: { label: 'Strapi', samples: ['entry.create', 'entry.publish'] },
  verdaccio: { label: 'Verdaccio', samples: ['package.publish', 'package.unpublish'] },
  buildbot: { label: 'Buildbot', samples: ['build.failure', 'build.started'] },
  zabbix: { label: 'Zabbix', samples: ['problem.problem', 'problem.resolved'] },
  jenkins: { label: 'Jenkins', samples: ['build.failure', 'build.started'] },
  'azure-devops': { label: 'Azure DevOps', samples: ['workitem.created', 'build.complete'] },
  buildkite: { label: 'Buildkite', samples: ['build.finished', 'ping'] },
  circleci: { label: 'CircleCI', samples: ['workflow-completed.failed', 'job-completed.success'] },
  datadog: { label: 'Datadog', samples: ['alert.triggered', 'alert.recovered'] },
  opsgenie: { label: 'Opsgenie', samples: ['alert.create', 'alert.acknowledge'] },
  notion: { label: 'Notion', samples: ['page.content_updated', 'comment.created'] },
  asana: { label: 'Asana', samples: ['task.changed', 'story.added'] },
  clickup: { label: 'ClickUp', samples: ['taskCommentPosted', 'taskStatusUpdated'] },
  teams: {
    label: 'Microsoft Teams',
    account: account('TEAMS_WEBHOOK_URL', { isUrl: true }),
    samples: ['message'],
  },
  telegram: {
    label: 'Telegram',
    account: account('TELEGRAM_BOT_TOKEN', { baseUrl: 'https://api.telegram.org' }),
    samples: ['message', 'edited_message'],
  },
  zendesk: {
    label: 'Zendesk',
    account: account('ZENDESK_API_TOKEN', { userEnv: 'ZENDESK_EMAIL', baseUrlEnv: 'ZENDESK_URL' }),
    samples: ['ticket.comment_added', 'ticket.created'],
  },
  twilio: { label: 'Twilio', samples: ['message.received', 'call.completed'] },
  sendgrid: { label: 'SendGrid', samples: ['bounce', 'spamreport'] },
  mailgun: { label: 'Mailgun', samples: ['failed', 'complained'] },
  paypal: { label: 'PayPal', samples: ['PAYMENT.CAPTURE.DENIED', 'CUSTOMER.DISPUTE.CREATED'] },
  dropbox: { label: 'Dropbox', samples: ['files.changed'] },
  meta: { label: 'Meta', samples: ['feed', 'messaging'] },
  anthropic: { label: 'Anthropic', samples: ['session.status_idled'] },
  openai: { label: 'OpenAI', samples: ['batch.completed', 'response.completed'] },
  cloudevents: { label: 'CloudEvents', samples: ['com.example.order.paid'] },
} as const satisfies Readonly<Record<string, ProviderFacts>>;

/** Name of a built-in provider, for the `provider` of a webhook. */
export type BuiltInProvider = keyof typeof PROVIDERS;

/** Event types of which hookctl has samples. Providers send more than these. */
export type KnownEventType = (typeof PROVIDERS)[BuiltInProvider]['samples'][number];

/** The same by name, for lists. */
export const providerFacts: ReadonlyMap<string, ProviderFacts> = new Map(Object.entries(PROVIDERS));

/** Those with a webhook of their own, which has their name. */
export const BUILT_IN_WEBHOOKS: readonly string[] = [...providerFacts].flatMap(([name, { secretEnv }]) =>
  secretEnv === undefined ? [] : name,
);

export const PROVIDER_NAMES: readonly string[] = [...providerFacts.keys()];

/** Accounts beside those of providers: a token for Slack's manifests makes and changes apps, and posts nothing. */
export const OTHER_ACCOUNTS: ReadonlyMap<string, AccountDefaults> = new Map([
  ['slack-config', account('SLACK_CONFIG_TOKEN', { baseUrl: 'https://slack.com/api' })],
]);
