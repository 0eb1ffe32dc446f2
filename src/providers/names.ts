/** The built-in providers, in the order in which lists show them. */
export const PROVIDER_NAMES = [
  'github',
  'jira',
  'slack',
  'sentry',
  'gitlab',
  'gitea',
  'bitbucket',
  'linear',
  'discord',
  'pagerduty',
  'stripe',
  'shopify',
  'standard',
  'alertmanager',
  'grafana',
  'registry',
  'generic',
] as const;

/** Name of a built-in provider, for the `provider` of a webhook. */
export type BuiltInProvider = (typeof PROVIDER_NAMES)[number];
