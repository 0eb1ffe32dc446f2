import { z } from 'zod';
import { issuesOf } from '../../lib/diagnostics.ts';
import { type JsonObject, TEXT_FORMATS, type WebhookEvent } from '../../types.ts';
import { authoredBy, event } from '../kit/event.ts';
import type { EventDraft, ParseResult, ProviderDefinition } from './definition.ts';

const fn = z.custom<(...given: never[]) => unknown>(
  (value) => typeof value === 'function',
  'expected a function',
);
const word = z.string().regex(/^\S+$/, 'expected one word without spaces');
const lowerHeader = z.string().transform((name) => name.toLowerCase());

const sample = z.strictObject({ type: word, build: fn });

/** What `defineProvider` takes. Settings of the signature are checked by themselves. */
export const providerSchema = z.strictObject({
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
 * What a project's `parse` returned, checked: it is code that nobody compiled, and what it says of a stranger's payload
 * goes into the store. External ids are qualified by the provider's name.
 */
export function readEvents(name: string, said: ParseResult, payload: JsonObject): Read {
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
