import { z } from 'zod';
import { TEXT_FORMATS } from '../../types.ts';
import type { ProviderDefinition } from './definition.ts';

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
export const eventSchema = z.strictObject({
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
