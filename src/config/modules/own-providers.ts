import { type Diagnostic, failure } from '../../errors.ts';
import type { CallSite } from '../../lib/call-site.ts';
import { toDiagnostic } from '../../lib/diagnostics.ts';
import { PROVIDER_NAMES } from '../../providers/facts.ts';
import type { ProviderDraft } from '../../types/defined-provider.ts';
import type { Issue, Provider } from '../../types.ts';
import { type StaticDefinition, sourceAt } from './load.ts';

const REASON = 'it is code of the project, which only `hookctl serve`, `check` and `trigger` run';

/** Replaces a provider that is code of the project where that code is not run: it verifies and reads nothing. */
function absentProvider(name: string): Provider {
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

/** The project's own providers, and what is wrong with them. */
interface OwnProviders {
  readonly providers: readonly Provider[];
  readonly problems: readonly Diagnostic[];
}

/** The providers that static webhooks bring along, each once. */
export function ownProviders(definitions: readonly StaticDefinition[]): OwnProviders {
  const brought = definitions.flatMap(({ provider, calledAt }) =>
    provider === null ? [] : [{ draft: provider, calledAt: provider.calledAt ?? calledAt }],
  );
  const drafts = brought.filter(
    (it, index) => brought.findIndex(({ draft }) => draft === it.draft) === index,
  );
  const problems = drafts.flatMap((it, index) => problemsOf(it, nameIssues(it, drafts.slice(0, index))));
  const absent = definitions.flatMap(({ definition, lacksProvider }) =>
    lacksProvider === true ? definition.provider : [],
  );
  return {
    providers: [...drafts.map(({ draft }) => providerOf(draft)), ...[...new Set(absent)].map(absentProvider)],
    problems,
  };
}

interface Brought {
  readonly draft: ProviderDraft;
  readonly calledAt: CallSite;
}

function problemsOf({ draft, calledAt }: Brought, further: readonly Issue[]): readonly Diagnostic[] {
  const issues = [...(draft.result.ok ? [] : draft.result.issues), ...further];
  if (issues.length === 0) return [];
  return issues.map((issue) => toDiagnostic(sourceAt(calledAt), issue));
}

function nameIssues({ draft }: Brought, earlier: readonly Brought[]): readonly Issue[] {
  const { name } = draft;
  const issue = (message: string) => [{ path: ['name'], message, fix: 'Choose another name.' }];
  if (PROVIDER_NAMES.includes(name)) {
    return issue(`${name} is a provider that hookctl has already`);
  }
  const same = earlier.find((other) => other.draft.name === name);
  if (same === undefined || name === '') return [];
  return issue(`${name} is already taken by ${same.calledAt.file}:${same.calledAt.line}`);
}

/** A provider with mistakes is replaced by another, so that its webhooks are checked as well; nothing is loaded then. */
function providerOf({ name, result }: ProviderDraft): Provider {
  return result.ok ? result.provider : absentProvider(name);
}
