import { PROVIDER_NAMES } from '../../src/providers/facts.ts';
import { loadProviders } from '../../src/providers/index.ts';
import type { Provider } from '../../src/types.ts';

/** Every built-in provider, in the order of lists. */
export const providers: readonly Provider[] = await loadProviders(PROVIDER_NAMES);

/** The built-in provider of that name; null when there is none. */
export function providerNamed(name: string): Provider | null {
  return providers.find((provider) => provider.name === name) ?? null;
}
