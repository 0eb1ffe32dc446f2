import { github } from './github/index.ts';
import type { Provider } from './provider.ts';

/** Every sender that hookctl speaks with. One line each. */
export const providers: readonly Provider[] = [github];

const byName = new Map(providers.map((provider) => [provider.name, provider]));

/** The provider of that name; null when hookctl has none. */
export function providerNamed(name: string): Provider | null {
  return byName.get(name) ?? null;
}
