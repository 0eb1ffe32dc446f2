import { callerSite } from '../../lib/call-site.ts';
import { type DefinedProvider, definedProvider } from '../../lib/defined-provider.ts';
import { issuesOf } from '../../lib/diagnostics.ts';
import { isJsonObject } from '../../lib/json.ts';
import type { Configured, Issue } from '../../types.ts';
import { readOptions } from '../generic/options.ts';
import { signatureSchema } from '../generic/settings.ts';
import type { ProviderDefinition } from './definition.ts';
import { ownProvider } from './provider.ts';
import { providerSchema } from './schema.ts';

/**
 * Declares a provider of the project, for `defineWebhook({ provider: … })`. Mistakes are reported when hookctl loads the
 * module, all of them at once and with their lines; nothing is thrown here.
 *
 * @example
 * const tickets = defineProvider({
 *   name: 'tickets',
 *   signature: { header: 'x-tickets-signature', deliveryId: 'header:x-tickets-delivery' },
 *   parse: (payload) => ({ type: String(payload.event), externalId: String(payload.id), title: String(payload.subject) }),
 * });
 */
export function defineProvider(definition: ProviderDefinition): DefinedProvider {
  const calledAt = callerSite();
  const written: unknown = (definition as { readonly name?: unknown } | null)?.name;
  const name = typeof written === 'string' ? written : '';
  return definedProvider({ name, result: read(definition), definition, calledAt });
}

function read(definition: ProviderDefinition): Configured {
  const result = providerSchema.safeParse(definition);
  const issues: readonly Issue[] = [
    ...(result.success ? [] : issuesOf(providerSchema, result.error)),
    ...proofIssues(definition),
    ...signatureIssues(definition),
  ];
  return issues.length > 0 ? { ok: false, issues } : ownProvider(definition);
}

function signatureIssues(given: unknown): readonly Issue[] {
  const signature = isJsonObject(given) ? given.signature : undefined;
  const checked = isJsonObject(signature) ? readOptions(signatureSchema, signature, {}) : null;
  return checked?.ok === false
    ? checked.issues.map((issue) => ({ ...issue, path: ['signature', ...issue.path] }))
    : [];
}

/** A provider is proved in exactly one way: nobody could tell which of two is meant. */
function proofIssues(given: unknown): readonly Issue[] {
  if (!isJsonObject(given)) return [];
  const has = (field: string) => given[field] !== undefined;
  const fix = 'Write signature: { header: … }, or verify(request, secrets, now) { … } with sign.';
  if (has('signature') && has('verify')) {
    return [
      {
        path: ['verify'],
        message: 'stands beside signature: one of them proves a request',
        fix,
        atKey: true,
      },
    ];
  }
  if (!has('signature') && !has('verify')) {
    return [{ path: ['signature'], message: 'missing: nothing says how a request is proved', fix }];
  }
  const useless = ['sign', 'deliveryId'].filter((field) => has('signature') && has(field));
  const lonely = ['headers'].filter((field) => has('verify') && has(field));
  return [...useless, ...lonely].map((field) => ({
    path: [field],
    message: `has no effect beside ${has('signature') ? 'signature' : 'verify'}`,
    fix:
      field === 'deliveryId' ? 'Write signature: { deliveryId: "header:x-delivery" }.' : `Remove ${field}.`,
    atKey: true,
  }));
}
