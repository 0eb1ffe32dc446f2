import { z } from 'zod';
import { snakeKeys } from '../../lib/case.ts';
import { withoutLineEnds } from '../../lib/redact/redact.ts';
import { variableName } from '../../lib/units.ts';
import {
  commandSchema,
  commandVariantSchema,
  definitionSchema,
  plainCommandSchema,
  webhookVariantSchema,
} from '../schema.ts';
import { nameProblem } from '../webhook-name.ts';
import { SCHEMA_VERSION } from './files.ts';

/*
 * `webhooks.json`, and what the API and the CLI take. Each field is the one of `../schema.ts` under its snake_case
 * name, so that a dynamic webhook takes exactly the values of a static one. Beside those there is only what dynamic
 * webhooks alone have: ids, names for people, secrets and times.
 */

const webhookId = z.string().regex(/^wh-[a-z0-9-]{1,60}$/, 'expected an id such as wh-01k3v7m2q4x8y6z0');
const commandId = z.string().regex(/^cmd-[a-z0-9-]{1,60}$/, 'expected an id such as cmd-01k3v7m2q4x8y6z0');
const time = z.iso.datetime({
  offset: true,
  error: 'expected a time in ISO 8601, such as 2026-01-31T12:00:00Z',
});

/** For people: spaces and upper case are welcome. Never like an id, so that one word names one webhook. */
const dynamicName = z
  .string()
  .max(100, 'expected at most 100 characters')
  .regex(/^(?!\s)[^\p{C}\p{Zl}\p{Zp}]+(?<!\s)$/u, 'expected a name on one line, without spaces around it')
  .superRefine((name, context) => {
    const message = nameProblem(name);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });

const secretValue = z
  .string()
  .transform(withoutLineEnds)
  .pipe(
    z
      .string()
      .min(1, 'an empty secret would let anybody sign')
      .regex(/^\S(?:.*\S)?$/s, 'the secret begins or ends with a blank; leave it out'),
  );
/** One secret, as the db holds it and as `webhook rotate-secret` takes it. */
export const secretSchema = z.union(
  [
    z.strictObject({ value: secretValue, expires_at: time.nullish() }),
    z.strictObject({ env: variableName, expires_at: time.nullish() }),
  ],
  { error: 'expected { "value": … } or { "env": … }, either with "expires_at"' },
);

const { provider, name, endpoint, secretEnv, commands, ...adjustable } = definitionSchema.shape;
const plainCommandOfDb = z.strictObject(snakeKeys(plainCommandSchema.shape));
const webhookVariantOfDb = z.strictObject({
  ...snakeKeys(webhookVariantSchema.shape),
  commands: z.array(plainCommandOfDb).readonly().optional(),
});
const commandVariantOfDb = z.strictObject(snakeKeys(commandVariantSchema.shape));
/** What webhooks and changes to them have in common. */
const webhookFields = {
  ...snakeKeys(adjustable),
  variants: z.array(webhookVariantOfDb).readonly().optional(),
};
const commandFields = {
  ...snakeKeys(commandSchema.shape),
  variants: z.array(commandVariantOfDb).readonly().optional(),
};

const secretFields = {
  secrets: z.array(secretSchema).readonly().optional(),
  /** The one-element form of `secrets`. */
  secret: secretValue.optional(),
};

const commandSchemaOfDb = z.strictObject({ id: commandId, ...commandFields });

const webhookSchemaOfDb = z
  .strictObject({
    webhook_id: webhookId,
    provider,
    name: dynamicName,
    endpoint: z.string(),
    ...secretFields,
    ...webhookFields,
    commands: z.array(commandSchemaOfDb).readonly().default([]),
    created_at: time,
    updated_at: time,
  })
  .transform(oneFormOfSecrets);

/** The whole file. */
export const dbSchema = z.strictObject({
  schema_version: z.literal(SCHEMA_VERSION),
  webhooks: z.array(webhookSchemaOfDb).readonly(),
});

/** What a new command takes (`POST …/commands`, `webhook command add`). */
export const newCommandSchema = z.strictObject(commandFields);
/** A command among others: with `id` it is one that exists. */
const givenCommandSchema = z.strictObject({ id: commandId.optional(), ...commandFields });
/** What a new webhook takes (`POST /api/webhooks`, `webhook add`). */
export const newWebhookSchema = z
  .strictObject({
    provider,
    name: dynamicName,
    ...secretFields,
    ...webhookFields,
    commands: z.array(givenCommandSchema).readonly().default([]),
  })
  .transform(oneFormOfSecrets);

/** Fields that a change names; null takes one away. */
export const commandPatchSchema = z.strictObject(nullable(commandFields));
/** As `PUT /api/webhooks/{id}` takes it. */
export const webhookPatchSchema = z.strictObject({
  name: dynamicName.optional(),
  ...nullable({
    ...secretFields,
    ...webhookFields,
    commands: z.array(givenCommandSchema).readonly().optional(),
  }),
});
/** One webhook of `webhook import`: an exported one, or a new one. */
export const importedWebhookSchema = z
  .strictObject({
    webhook_id: webhookId.optional(),
    provider,
    name: dynamicName,
    endpoint: z.string().optional(),
    ...secretFields,
    ...webhookFields,
    commands: z.array(givenCommandSchema).readonly().default([]),
    created_at: time.optional(),
    updated_at: time.optional(),
  })
  .transform(oneFormOfSecrets);

/** A secret in the db (`value`) or in a variable (`env`); `expires_at`: it verifies until then. */
export type DbSecret = z.output<typeof secretSchema>;
/** A command as the db has it. */
export type DbCommand = z.output<typeof commandSchemaOfDb>;
/** A webhook as the db has it. */
export type DbWebhook = z.output<typeof webhookSchemaOfDb>;
/** The same as people may write it: defaults left out, a single secret in its short form. */
export type WrittenWebhook = z.input<typeof webhookSchemaOfDb>;
/** What the db holds. */
export interface DbState {
  readonly webhooks: readonly DbWebhook[];
}
export type GivenCommand = z.output<typeof givenCommandSchema>;
export type ImportedWebhook = z.output<typeof importedWebhookSchema>;
/** What `addWebhook` takes, in JSON's own words. */
export type WebhookInput = z.input<typeof newWebhookSchema>;
/** What `updateWebhook` takes. */
export type WebhookPatch = z.input<typeof webhookPatchSchema>;
/** What `addCommand` takes. */
export type CommandInput = z.input<typeof newCommandSchema>;
/** What `updateCommand` takes. */
export type CommandPatch = z.input<typeof commandPatchSchema>;

/** `secret: "x"` is short for `secrets: [{ "value": "x" }]`; who names both must have meant one of them. */
function oneFormOfSecrets<
  T extends { secret?: string | undefined; secrets?: readonly DbSecret[] | undefined },
>(
  given: T,
  context: z.RefinementCtx<T>,
): Omit<T, 'secret' | 'secrets'> & { readonly secrets: readonly DbSecret[] } {
  const { secret, secrets, ...rest } = given;
  if (secret !== undefined && secrets !== undefined) {
    context.addIssue({
      code: 'custom',
      path: ['secret'],
      message: 'is given beside secrets: give one of them',
    });
  }
  return { ...rest, secrets: secret === undefined ? (secrets ?? []) : [{ value: secret }] };
}

function nullable<T extends Record<string, z.ZodType>>(shape: T): { [K in keyof T]: z.ZodNullable<T[K]> } {
  const entries = Object.entries(shape).map(([key, type]) => [key, type.nullable()]);
  return Object.fromEntries(entries) as { [K in keyof T]: z.ZodNullable<T[K]> };
}
