import type { Provider } from '../types.ts';
import type { BuiltInProvider } from './facts.ts';

/** Each is loaded when a webhook names it. */
const modules: Readonly<Record<BuiltInProvider, (name: string) => Promise<Provider | null>>> = {
  github: async () => (await import('./github/index.ts')).github,
  jira: async () => (await import('./jira/index.ts')).jira,
  slack: async () => (await import('./slack/index.ts')).slack,
  sentry: async () => (await import('./sentry/index.ts')).sentry,
  gitlab: async () => (await import('./gitlab/index.ts')).gitlab,
  gitea: async () => (await import('./gitea/index.ts')).gitea,
  bitbucket: async () => (await import('./bitbucket/index.ts')).bitbucket,
  linear: async () => (await import('./linear/index.ts')).linear,
  discord: async () => (await import('./discord/index.ts')).discord,
  pagerduty: async () => (await import('./pagerduty/index.ts')).pagerduty,
  stripe: async () => (await import('./stripe/index.ts')).stripe,
  shopify: async () => (await import('./shopify/index.ts')).shopify,
  standard: async () => (await import('./standard/index.ts')).standard,
  alertmanager: async () => (await import('./alertmanager/index.ts')).alertmanager,
  grafana: async () => (await import('./grafana/index.ts')).grafana,
  registry: async () => (await import('./registry/index.ts')).registry,
  generic: async () => (await import('./generic/index.ts')).generic,
  ghost: preset,
  strapi: preset,
  verdaccio: preset,
  buildbot: preset,
  zabbix: preset,
  jenkins: preset,
  'azure-devops': preset,
  buildkite: preset,
  circleci: preset,
  datadog: preset,
  opsgenie: preset,
  notion: preset,
  asana: preset,
  clickup: preset,
  teams: preset,
  telegram: preset,
  zendesk: preset,
  twilio: preset,
  sendgrid: preset,
  mailgun: preset,
  paypal: preset,
  dropbox: preset,
  meta: preset,
  anthropic: preset,
  openai: preset,
  cloudevents: preset,
};

/** One that settings describe. */
async function preset(name: string): Promise<Provider | null> {
  return (await import('./presets/index.ts')).presetNamed(name);
}

/** The built-in provider of that name; null when hookctl has none. */
export async function loadProvider(name: string): Promise<Provider | null> {
  return isBuiltIn(name) ? modules[name](name) : null;
}

/** Those of these names that hookctl has, each once. */
export async function loadProviders(names: Iterable<string>): Promise<readonly Provider[]> {
  const loaded = await Promise.all([...new Set(names)].map(loadProvider));
  return loaded.filter((provider) => provider !== null);
}

function isBuiltIn(name: string): name is BuiltInProvider {
  return Object.hasOwn(modules, name);
}
