import type { Provider } from '../../types.ts';
import { providerBy } from '../by-settings/index.ts';
import { PROVIDERS } from '../facts.ts';

/**
 * Any sender that has no provider of its own: the `options` of a webhook say how it signs (`scheme/settings.ts`) and
 * where its requests hold what. Without options it is signed like GitHub, and says no more than that it came.
 */
export const generic: Provider = providerBy(
  {},
  { name: 'generic', label: PROVIDERS.generic.label, base: {} },
);
