import { failure, messageOf } from '../../errors.ts';
import { callerSite } from '../../lib/call-site.ts';
import { issuesOf } from '../../lib/diagnostics.ts';
import { isJsonObject, parseJson } from '../../lib/json.ts';
import { type DefinedProvider, definedProvider } from '../../types/defined-provider.ts';
import type {
  Configured,
  FormContext,
  FormField,
  Issue,
  JsonObject,
  Parsed,
  ParseSettings,
  Provider,
  RawRequest,
} from '../../types.ts';
import { refused } from '../kit/signature.ts';
import { build } from '../preset.ts';
import { readOptions } from '../scheme/options.ts';
import { signatureSchema } from '../scheme/settings.ts';
import { formPayload } from '../scheme/signed-content.ts';
import type { ProviderDefinition } from './definition.ts';
import { providerSchema, readEvents } from './schema.ts';

type ByCode = Extract<ProviderDefinition, { readonly verify: unknown }>;

const BODY_LIMIT = 25 * 1024 * 1024;
const NO_SETTINGS: ParseSettings = { commandPrefix: '@agent', options: {} };

/** A definition of the right form → the provider that the pipeline uses; issues are those of its `signature`. */
function ownProvider(definition: ProviderDefinition): Configured {
  return definition.verify === undefined
    ? build(
        {
          ...shared(definition),
          settings: definition.signature,
          eventName: (headers) => attempt(() => definition.eventName?.(headers)) ?? null,
          ...(definition.headers !== undefined && { headers: definition.headers }),
          decode: (request) => decoded(definition, request),
          parse: (payload, { request, settings }) => parsed(definition, payload, request, settings),
        },
        {},
      )
    : { ok: true, provider: byCode(definition) };
}

function shared(definition: ProviderDefinition) {
  const { name, label = name, acknowledge, authorOf, reply } = definition;
  return {
    name,
    label,
    bodyLimit: definition.bodyLimit ?? BODY_LIMIT,
    defaultAssociations: definition.defaultAssociations ?? [],
    webhook: null,
    samples: definition.samples ?? [],
    secretHeaders: (definition.secretHeaders ?? []).map((header) => header.toLowerCase()),
    authorOf: (payload: JsonObject, path: readonly string[]) =>
      attempt(() => authorOf?.(payload, path)) ?? null,
    acknowledge: (request: RawRequest, result: Parsed) =>
      attempt(() => acknowledge?.(request, result)) ?? null,
    formFields: (context: FormContext) =>
      attempt(() => definition.formFields?.(context)) ?? usualFields(context),
    ...(reply !== undefined && { reply }),
  };
}

function byCode(definition: ByCode): Provider {
  const { name } = definition;
  const provider: Provider = {
    ...shared(definition),
    // Which options its code reads, it alone knows.
    configure: () => ({ ok: true, provider }),
    verify(request, secrets, now) {
      if (secrets.length === 0) return refused('no_secret', 'the webhook has no secret to verify with');
      try {
        const verdict = definition.verify(request, secrets, now);
        // Nothing but these very words lets a request in: a promise would be something, too.
        if (verdict?.ok === true) return { ok: true, secretIndex: Number(verdict.secretIndex) || 0 };
        if (verdict?.ok === false) return refused(verdict.cause, String(verdict.detail));
        return refused('signature_malformed', `verify of ${name} returns no verdict; it may not be async`);
      } catch (error) {
        return refused('signature_malformed', `verify of ${name} throws: ${messageOf(error)}`);
      }
    },
    sign(body, context) {
      if (definition.sign !== undefined) return definition.sign(body, context);
      throw failure('cannot_sign', `${name} does not say how its requests are signed`, {
        fix: 'Add sign(body, { secret, now, … }) to its defineProvider.',
      });
    },
    deliveryId: (headers) => attempt(() => definition.deliveryId?.(headers)) ?? null,
    eventName: (headers) => attempt(() => definition.eventName?.(headers)) ?? null,
    parse(request, settings = NO_SETTINGS) {
      const payload = decoded(definition, request);
      return payload.ok ? parsed(definition, payload.value, request, settings) : payload;
    },
  };
  return provider;
}

type Decoded = ReturnType<typeof parseJson>;

function decoded({ name, decode, signature }: ProviderDefinition, request: RawRequest): Decoded {
  if (decode === undefined) {
    return parseJson(formPayload(request, signature?.formField ?? 'payload') ?? request.body);
  }
  try {
    const value = decode(request);
    return value === null
      ? { ok: false, reason: `decode of ${name} cannot read the body` }
      : { ok: true, value };
  } catch (error) {
    return { ok: false, reason: `decode of ${name} throws: ${messageOf(error)}` };
  }
}

function parsed(
  { name, parse, uniqueKeys }: ProviderDefinition,
  payload: JsonObject,
  request: RawRequest,
  settings: ParseSettings,
): Parsed {
  try {
    const said = parse(payload, { headers: request.headers, request, settings });
    const read = readEvents(name, said, payload);
    return read.ok
      ? { ok: true, events: read.events, semanticKeys: (uniqueKeys?.(payload, request) ?? []).map(String) }
      : read;
  } catch (error) {
    return { ok: false, reason: `parse of ${name} throws: ${messageOf(error)}` };
  }
}

/** What a project's function says; null when it throws, for the delivery is not to be lost over it. */
function attempt<T>(call: () => T): T | null {
  try {
    return call();
  } catch {
    return null;
  }
}

function usualFields({ url, secretCommand }: FormContext): readonly FormField[] {
  return [
    { label: 'URL', value: url },
    { label: 'Secret', value: secretCommand },
  ];
}

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
