import { github } from './github/index.ts';
import { gitlab } from './gitlab/index.ts';
import { jira } from './jira/index.ts';
import type { Provider } from './provider.ts';
import { sentry } from './sentry/index.ts';
import { slack } from './slack/index.ts';

/** Every sender that hookctl speaks with. One line each. */
export const providers: readonly Provider[] = [github, jira, slack, sentry, gitlab];

const byName = new Map(providers.map((provider) => [provider.name, provider]));

/** The provider of that name; null when hookctl has none. */
export function providerNamed(name: string): Provider | null {
  return byName.get(name) ?? null;
}
