import { failure } from '../../errors.ts';
import type { Provider } from '../../types.ts';

const REASON = 'it is code of the project, which only `hookctl serve`, `check` and `trigger` run';

/** Stands in for a provider that is code of the project where that code is not run: it verifies and reads nothing. */
export function absentProvider(name: string): Provider {
  const provider: Provider = {
    name,
    label: name,
    bodyLimit: 25 * 1024 * 1024,
    defaultAssociations: [],
    secretHeaders: [],
    webhook: null,
    samples: [],
    configure: () => ({ ok: true, provider }),
    verify: () => ({
      ok: false,
      cause: 'no_secret',
      detail: `the provider ${name} was not loaded: ${REASON}`,
    }),
    sign() {
      throw failure('not_loaded', `the provider ${name} was not loaded: ${REASON}`);
    },
    deliveryId: () => null,
    eventName: () => null,
    parse: () => ({ ok: false, reason: `the provider ${name} was not loaded: ${REASON}` }),
    authorOf: () => null,
    formFields: ({ url, secretCommand }) => [
      { label: 'URL', value: url },
      { label: 'Secret', value: secretCommand },
    ],
  };
  return provider;
}
