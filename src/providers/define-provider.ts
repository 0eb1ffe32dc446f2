import { z } from 'zod';
import { failure, messageOf } from '../errors.ts';
import { callerSite } from '../lib/call-site.ts';
import { issuesOf } from '../lib/diagnostics.ts';
import { isJsonObject, type JsonResult } from '../lib/json.ts';
import { type DefinedProvider, definedProvider } from '../types/defined-provider.ts';
import {
  type Configured,
  type FormContext,
  type FormField,
  type Headers,
  type Issue,
  type JsonObject,
  type OutgoingRequest,
  type Parsed,
  type ParseSettings,
  type RawRequest,
  type SignContext,
  TEXT_FORMATS,
  type Verdict,
  type WebhookEvent,
  type WebhookSecret,
} from '../types.ts';
import type { EventDraft, ParseResult, ProviderDefinition } from './definition.ts';
import { authoredBy, event } from './kit/event.ts';
import { refused } from './kit/signature.ts';
import { codeProvider, configureSchemes, type ReadContext } from './provider.ts';
import { parseObjectOrList } from './receive/events.ts';
import { jsonViewOf } from './receive/json-view.ts';
import { handshakeSchema, handshakesOf, receiveFields } from './receive/settings.ts';
import { readOptions } from './scheme/options.ts';
import { signatureSchema } from './scheme/settings.ts';
import { formPayload } from './scheme/signed-content.ts';

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
  return definedProvider({ name, result: read(definition), calledAt });
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

/** A provider proves its requests in exactly one way: of two, it is unclear which is meant. */
function proofIssues(given: unknown): readonly Issue[] {
  if (!isJsonObject(given)) return [];
  const has = (field: string) => given[field] !== undefined;
  const fix = 'Write signature: { header: … }, or verify(request, secrets, now) { … } with sign.';
  if (has('signature') && has('verify')) {
    return [
      {
        path: ['verify'],
        message: 'cannot be combined with signature: one of them proves a request',
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

/** A definition of the right form → the provider that the pipeline uses; issues are those of its `signature`. */
function ownProvider(definition: ProviderDefinition): Configured {
  const { name, label = name, bodyLimit, defaultAssociations, authorOf, acknowledge, reply } = definition;
  const { handshake, body } = definition;
  const formField = definition.signature?.formField ?? 'payload';
  const common = {
    name,
    label,
    samples: definition.samples ?? [],
    secretHeaders: (definition.secretHeaders ?? []).map((header) => header.toLowerCase()),
    ...(bodyLimit !== undefined && { bodyLimit }),
    ...(defaultAssociations !== undefined && { defaultAssociations }),
    ...(reply !== undefined && { reply }),
    ...(handshake !== undefined && { handshakes: handshakesOf(handshakeSchema.parse(handshake)) }),
    ...(body !== undefined && { jsonView: jsonViewOf({ body, formField }) }),
    eventName: (headers: Headers) => attempt(() => definition.eventName?.(headers)) ?? null,
    decode: (request: RawRequest) => decoded(definition, request),
    parse: (payload: JsonObject, { request, settings }: ReadContext) =>
      parsed(definition, payload, request, settings),
    authorOf: (payload: JsonObject, path: readonly string[]) =>
      attempt(() => authorOf?.(payload, path)) ?? null,
    acknowledge: (request: RawRequest, result: Parsed) =>
      attempt(() => acknowledge?.(request, result)) ?? null,
    formFields: (context: FormContext) =>
      attempt(() => definition.formFields?.(context)) ?? usualFields(context),
  };
  if (definition.verify === undefined) {
    const { signature, headers } = definition;
    return configureSchemes({ ...common, signature, ...(headers !== undefined && { headers }) }, {});
  }
  const provider = codeProvider({
    ...common,
    // Which options its code reads, it alone knows.
    options: z.looseObject({}),
    verify: (request, secrets, now) => judged(definition, request, secrets, now),
    sign: (body, context) => signed(definition, body, context),
    deliveryId: (headers) => attempt(() => definition.deliveryId?.(headers)) ?? null,
  });
  return { ok: true, provider };
}

type ByCode = Extract<ProviderDefinition, { readonly signature?: never }>;

function judged(
  { name, verify }: ByCode,
  request: RawRequest,
  secrets: readonly WebhookSecret[],
  now: number,
): Verdict {
  if (secrets.length === 0) return refused('no_secret', 'the webhook has no secret to verify with');
  try {
    const verdict = verify(request, secrets, now);
    // Nothing but these very words lets a request in: a promise would be something, too.
    if (verdict?.ok === true) return { ok: true, secretIndex: Number(verdict.secretIndex) || 0 };
    if (verdict?.ok === false) return refused(verdict.cause, String(verdict.detail));
    return refused('signature_malformed', `verify of ${name} returns no verdict; it may not be async`);
  } catch (error) {
    return refused('signature_malformed', `verify of ${name} throws: ${messageOf(error)}`);
  }
}

function signed({ name, sign }: ByCode, body: Uint8Array, context: SignContext): OutgoingRequest {
  if (sign !== undefined) return sign(body, context);
  throw failure('cannot_sign', `${name} does not say how its requests are signed`, {
    fix: 'Add sign(body, { secret, now, … }) to its defineProvider.',
  });
}

function decoded({ name, decode, signature }: ProviderDefinition, request: RawRequest): JsonResult {
  if (decode === undefined) {
    return parseObjectOrList(formPayload(request, signature?.formField ?? 'payload') ?? request.body);
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

const fn = z.custom<(...given: never[]) => unknown>(
  (value) => typeof value === 'function',
  'expected a function',
);
const word = z.string().regex(/^\S+$/, 'expected one word without spaces');
const lowerHeader = z.string().transform((name) => name.toLowerCase());

const sample = z.strictObject({ type: word, build: fn });

/** What `defineProvider` takes. Settings of the signature are checked by themselves. */
const providerSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected a name of lower-case letters, digits and -'),
  label: z.string().min(1).optional(),
  bodyLimit: z
    .int()
    .min(1)
    .max(100 * 1024 * 1024, 'expected at most 100 MiB')
    .optional(),
  defaultAssociations: z.array(z.string()).readonly().optional(),
  secretHeaders: z.array(lowerHeader).readonly().optional(),
  parse: fn,
  decode: fn.optional(),
  uniqueKeys: fn.optional(),
  acknowledge: fn.optional(),
  handshake: handshakeSchema.optional(),
  body: receiveFields.body,
  authorOf: fn.optional(),
  reply: z
    .custom<object>((value) => typeof value === 'object' && value !== null, 'expected a ReplyChannel')
    .optional(),
  samples: z.array(sample).readonly().optional(),
  formFields: fn.optional(),
  eventName: fn.optional(),
  signature: z.record(z.string(), z.unknown()).optional(),
  headers: fn.optional(),
  verify: fn.optional(),
  sign: fn.optional(),
  deliveryId: fn.optional(),
}) satisfies z.ZodType<Readonly<Partial<Record<keyof ProviderDefinition, unknown>>>>;

const sender = z.strictObject({
  id: z.string().min(1, 'expected an id'),
  name: z.string(),
  kind: z.enum(['person', 'bot', 'system']),
  association: z.string().nullable(),
  appId: z.string().nullable(),
});

const author = z.strictObject({ id: z.string().min(1, 'expected an id'), name: z.string() });

/** An event as `parse` returns it. */
const eventSchema = z.strictObject({
  type: word,
  externalId: word.nullish(),
  sender: sender.nullish(),
  text: z.string().nullish(),
  author: author.nullish(),
  textOrigin: z.enum(['created', 'edited', 'moved']).optional(),
  textFormat: z.enum(TEXT_FORMATS).optional(),
  textId: word.nullish(),
  writtenAt: z.number().nullish(),
  hasStrangersWords: z.boolean().optional(),
  title: z.string().nullish(),
  url: z.string().nullish(),
  payload: z.record(z.string(), z.unknown()).optional(),
});

type Read =
  | { readonly ok: true; readonly events: readonly WebhookEvent[] }
  | { readonly ok: false; readonly reason: string };

/**
 * What a project's `parse` returned, checked: no compiler checked it, and what it makes of a stranger's payload
 * goes into the store. External ids are qualified by the provider's name.
 */
function readEvents(name: string, said: ParseResult, payload: JsonObject): Read {
  if (isUnparsed(said)) return { ok: false, reason: String(said.unparsed) };
  const drafts: readonly unknown[] = Array.isArray(said) ? said : [said];
  const events: WebhookEvent[] = [];
  for (const draft of drafts) {
    const result = eventSchema.safeParse(draft);
    if (!result.success) {
      const [issue] = issuesOf(eventSchema, result.error);
      const where = issue === undefined || issue.path.length === 0 ? '' : `, ${issue.path.join('.')}`;
      return {
        ok: false,
        reason: `parse of ${name} returns no event${where}: ${issue?.message ?? 'not one'}`,
      };
    }
    events.push(complete(name, draft as EventDraft, payload));
  }
  return { ok: true, events };
}

function complete(name: string, draft: EventDraft, payload: JsonObject): WebhookEvent {
  const { type, externalId = null, sender = null, text = null } = draft;
  const mark = `${name}:`;
  return event(draft.payload ?? payload, {
    type,
    externalId: externalId === null || externalId.startsWith(mark) ? externalId : mark + externalId,
    sender,
    text,
    author: text === null ? null : draft.author === undefined ? authoredBy(sender) : draft.author,
    textOrigin: draft.textOrigin ?? 'created',
    ...(draft.textFormat === undefined ? {} : { textFormat: draft.textFormat }),
    ...(typeof draft.textId === 'string' && { textId: draft.textId }),
    ...(typeof draft.writtenAt === 'number' && { writtenAt: draft.writtenAt }),
    ...(sender?.kind === 'system' && { hasStrangersWords: draft.hasStrangersWords ?? true }),
    title: draft.title ?? null,
    url: draft.url ?? null,
  });
}

function isUnparsed(said: ParseResult): said is { readonly unparsed: string } {
  return typeof said === 'object' && said !== null && 'unparsed' in said;
}
