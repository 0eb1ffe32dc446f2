import type { Provider, Snapshot } from '../types.ts';
import { alertmanager } from './alertmanager/index.ts';
import { bitbucket } from './bitbucket/index.ts';
import { discord } from './discord/index.ts';
import { generic } from './generic/index.ts';
import { gitea } from './gitea/index.ts';
import { github } from './github/index.ts';
import { gitlab } from './gitlab/index.ts';
import { grafana } from './grafana/index.ts';
import { jira } from './jira/index.ts';
import { linear } from './linear/index.ts';
import { type BuiltInProvider, PROVIDER_NAMES } from './names.ts';
import { pagerduty } from './pagerduty/index.ts';
import { registry } from './registry/index.ts';
import { sentry } from './sentry/index.ts';
import { shopify } from './shopify/index.ts';
import { slack } from './slack/index.ts';
import { standard } from './standard/index.ts';
import { stripe } from './stripe/index.ts';

const builtIn: Readonly<Record<BuiltInProvider, Provider>> = {
  github,
  jira,
  slack,
  sentry,
  gitlab,
  gitea,
  bitbucket,
  linear,
  discord,
  pagerduty,
  stripe,
  shopify,
  standard,
  alertmanager,
  grafana,
  registry,
  generic,
};

/** Every sender that hookctl supports by itself. */
export const providers: readonly Provider[] = PROVIDER_NAMES.map((name) => builtIn[name]);

const byName = new Map(providers.map((provider) => [provider.name, provider]));

/** hookctl's own providers, and those that webhooks of the project brought along. */
export function providersIn({ webhooks }: Pick<Snapshot, 'webhooks'>): readonly Provider[] {
  const own = webhooks.flatMap(({ provider }) => (byName.has(provider.name) ? [] : [provider]));
  return [...providers, ...new Map(own.map((provider) => [provider.name, provider])).values()];
}

/** One of those by its name; null when there is none. */
export function providerIn(snapshot: Pick<Snapshot, 'webhooks'>, name: string): Provider | null {
  return providersIn(snapshot).find((provider) => provider.name === name) ?? null;
}

/** The provider of that name; null when hookctl has none. */
export function providerNamed(name: string): Provider | null {
  return byName.get(name) ?? null;
}
