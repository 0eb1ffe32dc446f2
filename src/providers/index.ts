import type { Snapshot } from '../types.ts';
import { generic } from './generic.ts';
import { github } from './github/index.ts';
import { gitlab } from './gitlab/index.ts';
import { jira } from './jira/index.ts';
import type { Provider } from './provider.ts';
import { sentry } from './sentry/index.ts';
import { slack } from './slack/index.ts';

/** Every sender that hookctl speaks with. One line each. */
export const providers: readonly Provider[] = [github, jira, slack, sentry, gitlab, generic];

const byName = new Map(providers.map((provider) => [provider.name, provider]));

/** hookctl's own providers, and those that webhooks of the project brought along. */
export function providersIn({ webhooks }: Pick<Snapshot, 'webhooks'>): readonly Provider[] {
  const own = webhooks.flatMap(({ protocol }) => (byName.has(protocol.name) ? [] : [protocol]));
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
