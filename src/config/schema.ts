import { z } from 'zod';
import { milliseconds, timeSpan, variableName } from '../lib/units.ts';
import { repairBounds } from '../types/repair.ts';
import { type JsonObject, MODES, OPERATOR, OWNER_PATTERN } from '../types.ts';
import { nameProblem } from './webhook-name.ts';

/*
 * The one schema of a webhook, for defineWebhook, webhooks.yml, the JSON db, the API and the CLI. `describe` is what an
 * editor shows in webhooks.yml, `flag` the option that sets the field. Defaults are applied by `resolve.ts`, after a
 * built-in webhook and its adjustments are merged.
 */

// Compiling a schema takes longer than the few values that a process reads by it.
z.config({ jitless: true });

/** How the CLI takes a field. */
interface FieldFlag {
  /** As commander reads it. A boolean field has its `--no-` form as well, a list is repeatable. */
  readonly flags: string;
  readonly help: string;
  /** Help of the `--no-` form. */
  readonly no?: string;
  /** What `--clear` calls the field. Default: the name of the option. */
  readonly clear?: string;
}

/** Fields that have an option in `webhook add` and `edit`, or in `webhook command add` and `edit`. */
export const fieldFlags = z.registry<FieldFlag>();

function flag<T extends z.ZodType>(field: T, flags: string, help: string, more: Partial<FieldFlag> = {}): T {
  fieldFlags.add(field, { flags, help, ...more });
  return field;
}

/** A webhook's name: it appears in commands, URLs and as a file name. */
const webhookName = z.string().superRefine((name, context) => {
  const message = nameProblem(name) ?? staticNameProblem(name);
  if (message !== null) context.addIssue({ code: 'custom', message });
});

function staticNameProblem(name: string): string | null {
  if (name.length > 64) return 'expected a name of at most 64 characters';
  return /^[a-z0-9][a-z0-9_-]*$/.test(name) ? null : 'expected a name of lower-case letters, digits, - and _';
}

const endpoint = z
  .string()
  .regex(
    /^\/webhooks(\/[a-z0-9_-]+)+$/,
    'expected a path that starts with /webhooks/ and goes on with lower-case letters, digits, -, _ and /',
  );

/** Of a webhook, and under `owners` of webhooks.yml. */
export const ownerName = z
  .string()
  .regex(OWNER_PATTERN, 'expected a name of lower-case letters, digits, - and _, at most 64');

const word = z.string().regex(/^\S+$/, 'expected one word without spaces');

const jsonError = 'expected JSON: text, numbers, true, false, null, lists and objects of them';
// Zod's own type of JSON has lists that can be changed; ours has not.
const jsonObject = z.record(z.string(), z.json({ error: jsonError })) as unknown as z.ZodType<
  JsonObject,
  JsonObject
>;

/** `readonly`, so that what `as const` makes is welcome too. */
const list = <T extends z.ZodType>(item: T) => z.array(item).readonly();

const idText = z
  .union([z.string(), z.int()], { error: 'expected an id: text or a whole number' })
  .transform(String);

const allow = z.strictObject({
  associations: flag(
    list(z.string())
      .describe('Who may command, in the provider’s words (GitHub: OWNER, MEMBER, COLLABORATOR).')
      .optional(),
    '--allow-association <name>',
    'who may command, e.g. OWNER (repeatable)',
  ),
  users: flag(
    list(idText).describe('Provider ids of people who may command.').optional(),
    '--allow-user <id>',
    'id of a person who may command (repeatable)',
  ),
  apps: flag(
    list(idText).describe('App ids of bots that may command.').optional(),
    '--allow-app <id>',
    'id of an app whose bot may command (repeatable)',
  ),
});

/** Events of one flow that come close together become one task. */
const coalesce = z
  .strictObject({
    window: timeSpan.describe('How long a further event is waited for, such as 30s.'),
    max: timeSpan.optional().describe('How long the first event waits at most; default 10 windows.'),
  })
  .refine(
    ({ window, max = window }) => milliseconds(max) >= milliseconds(window),
    'expected a max that is no shorter than the window',
  )
  .refine(
    ({ window, max = window }) => milliseconds(max) <= 86_400_000 && milliseconds(window) <= 86_400_000,
    'expected at most 24h',
  );

const commandFields = {
  name: flag(
    z.string().describe('Text command: the word after the prefix.').optional(),
    '--text-name <word>',
    'run when a person writes this word behind the prefix',
  ),
  aliases: flag(
    list(z.string()).describe('Other words for the same text command.').optional(),
    '--alias <word>',
    'another word for it (repeatable)',
  ),
  trigger: flag(
    word.describe('Trigger command: an event type, such as issues.opened, issues.* or *.').optional(),
    '--trigger <type>',
    'run on this event type: issues.opened, issues.*, *',
  ),
  conditions: flag(
    jsonObject.describe('MongoDB query operators on dotted paths of the payload.').optional(),
    '--conditions <json>',
    'only if these MongoDB query operators hold',
  ),
  priority: flag(
    z.int().describe('Lowest first; default 100.').optional(),
    '--priority <n>',
    'triggers run lowest first, default 100',
  ),
  action: flag(
    z.string().describe('What the command does; default create_task.').optional(),
    '--action <name>',
    'what to do, default create_task',
  ),
  targetAgent: flag(
    word.describe('Who is to work on it; default: the webhook’s targetAgent.').optional(),
    '--agent <name>',
    'who is to work on it, default: the webhook’s agent',
  ),
  template: flag(
    z.string().describe('Handlebars: payload fields, {{@event.title}}, {{@argument}}.').optional(),
    '--template <text>',
    'Handlebars, e.g. "Triage: {{issue.title}}"',
  ),
  requiresApproval: flag(
    z.boolean().describe('The task waits for approval; default false.').optional(),
    '--requires-approval',
    'the task waits until somebody approves it',
    { no: 'the task starts by itself (the default)' },
  ),
  approval: flag(
    z
      .enum(['never'])
      .describe(
        'never: the task starts at once, also where a stranger can have written the words (an error).',
      )
      .optional(),
    '--approval <never>',
    'never: it starts also on words that a stranger can have written',
  ),
  coalesce: coalesce
    .describe('Events of one flow that come close together become one task; default: the webhook’s.')
    .optional(),
  options: flag(
    jsonObject.describe('Settings of the action.').optional(),
    '--option <name=value>',
    'a setting of the action (repeatable): program=./deploy.sh',
    { clear: 'options' },
  ),
};

const variantFields = {
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'expected a name of lower-case letters, digits, - and _')
    .describe('Its name, as it is recorded with each delivery.'),
  weight: z
    .number()
    .positive('expected a weight above 0')
    .max(1_000_000)
    .describe('Its share of the external ids, relative to the others; default 1.')
    .optional(),
  mode: z
    .enum(MODES)
    .describe('shadow: it decides beside the others about each delivery, and does nothing. Default live.')
    .optional(),
};

const { conditions, action, targetAgent, template, requiresApproval, approval, options } = commandFields;

/** What one variant of a command changes. */
export const commandVariantSchema = z.strictObject({
  ...variantFields,
  ...{ conditions, action, targetAgent, template, requiresApproval, approval, options },
});

/** A command inside a variant, which has no variants of its own. */
export const plainCommandSchema = z.strictObject(commandFields);

/** A command: `name` (text command) or `trigger` (trigger command), never both. */
export const commandSchema = z.strictObject({
  ...commandFields,
  variants: list(commandVariantSchema)
    .describe(
      'Forms of it that are compared: [{ name: a, weight: 90 }, { name: b, weight: 10, template: … }].',
    )
    .optional(),
});

/** What one variant of a webhook changes. */
export const webhookVariantSchema = z.strictObject({
  ...variantFields,
  commands: list(plainCommandSchema).describe('Its commands; default: the webhook’s.').optional(),
  defaultCommand: z.string().describe('Default: the webhook’s, where it has that command.').optional(),
  template: z.string().describe('Template of all its commands that render one.').optional(),
  targetAgent: word.describe('Who works on the tasks of all its commands.').optional(),
});

/** The fields that a project may also adjust on a built-in webhook. */
const adjustableFields = {
  enabled: z.boolean().describe('false: the endpoint answers 403. Default true.').optional(),
  owner: flag(
    ownerName.describe('Whose it is, and with it all that its deliveries make. Default operator.').optional(),
    '--owner <name>',
    'whose it is, and what its deliveries make; default operator',
  ),
  labels: flag(
    list(
      z
        .string()
        .regex(/^[^\s,\p{C}]{1,64}$/u, 'expected a label of at most 64 characters, without spaces or commas'),
    )
      .describe('Words to find it by: [billing, canary].')
      .optional(),
    '--label <word>',
    'a word to find it by (repeatable)',
    { clear: 'labels' },
  ),
  mode: flag(
    z.enum(MODES).describe('shadow: it decides and records, and does nothing. Default live.').optional(),
    '--mode <live|shadow>',
    'shadow: record what it would do, and do nothing; default live',
  ),
  variants: list(webhookVariantSchema)
    .describe(
      'Forms of it that are compared: [{ name: a, weight: 90 }, { name: b, weight: 10, commands: … }].',
    )
    .optional(),
  secretEnv: variableName
    .describe('Environment variable with the secret; default: a generated secret.')
    .optional(),
  commandPrefix: flag(
    word.describe('The word before a text command; default @agent.').optional(),
    '--prefix <word>',
    'the word before a text command, default @agent',
  ),
  requirePrefix: flag(
    z
      .boolean()
      .describe('false: the default command runs on `events` without a prefix. Default true.')
      .optional(),
    '--require-prefix',
    'text commands need the prefix (the default)',
    { no: 'the default command runs on its events without a prefix' },
  ),
  targetAgent: flag(
    word.describe('Who works on the tasks; default brain.').optional(),
    '--agent <name>',
    'who works on the tasks, default brain',
  ),
  commands: list(commandSchema).describe('Text commands and trigger commands.').optional(),
  defaultCommand: flag(
    z.string().describe('Text command that runs when no other is named.').optional(),
    '--default-command <name>',
    'text command that runs when no other is named',
  ),
  allow: allow.describe('Who may command.').optional(),
  events: flag(
    list(word).describe('Event types whose edits may command.').optional(),
    '--event <type>',
    'event type whose edits may command (repeatable)',
  ),
  allowUnverifiable: z
    .boolean()
    .describe('true: also accept what came through a relay that changed the bytes. Default false.')
    .optional(),
  trustFetched: flag(
    z
      .boolean()
      .describe('true: what `recover` fetched from the sender’s log runs without approval. Default false.')
      .optional(),
    '--trust-fetched',
    'what was fetched from the sender’s log runs without approval',
    { no: 'what was fetched from the sender’s log waits for approval (the default)' },
  ),
  coalesce: coalesce
    .describe('Events of one flow that come close together become one task: { window: 30s, max: 5m }.')
    .optional(),
  repair: repairBounds
    .partial()
    .required({ checks: true })
    .extend({ targetAgent: word.describe('Who repairs; default: the webhook’s targetAgent.').optional() })
    .describe('Let an agent repair red builds of its own branches: { checks: [ci] }.')
    .optional(),
  starts: z
    .strictObject({
      label: z.string().min(1).describe('A label that starts work when it is set.').optional(),
      assigned: z.string().min(1).describe('The bot’s account: work starts when it is assigned.').optional(),
      reviewRequested: z
        .string()
        .min(1)
        .describe('The bot’s account: a review starts when it is asked for one.')
        .optional(),
      transition: z
        .string()
        .min(1)
        .describe('Jira: a status that starts work when an issue comes to it.')
        .optional(),
    })
    .describe('What starts the default command without a text: { label: agent }.')
    .optional(),
  tellMerged: flag(
    z
      .boolean()
      .describe('true: the ticket or issue where a flow began is told when its pull request is merged.')
      .optional(),
    '--tell-merged',
    'tell the ticket of a pull request when that is merged',
    { no: 'no ticket is told that its pull request was merged (the default)' },
  ),
  syncToClaudeTasks: flag(
    z.boolean().describe('false: tasks stay out of Claude Code. Default true.').optional(),
    '--sync',
    'its tasks appear in Claude Code (the default)',
    { no: 'its tasks stay out of Claude Code' },
  ),
  options: flag(
    jsonObject.describe('Settings of the provider.').optional(),
    '--option <name=value>',
    'a setting of the provider (repeatable): header=x-signature',
    { clear: 'options' },
  ),
};

/** What fields that are left out mean, once a built-in webhook and its adjustments are merged. */
export const WEBHOOK_DEFAULTS = {
  enabled: true,
  owner: OPERATOR,
  labels: [],
  mode: 'live',
  commandPrefix: '@agent',
  requirePrefix: true,
  targetAgent: 'brain',
  events: [],
  syncToClaudeTasks: true,
  allowUnverifiable: false,
  trustFetched: false,
  options: {},
} as const satisfies z.input<typeof adjustmentSchema>;

/** One entry under `webhooks:` in webhooks.yml. */
export const adjustmentSchema = z.strictObject(adjustableFields);

/** Everything that `defineWebhook` takes. */
export const definitionSchema = z.strictObject({
  name: webhookName,
  provider: z.string(),
  endpoint: endpoint.optional(),
  ...adjustableFields,
});

/** A definition that has the right form; what it names may still not exist. */
export type ValidDefinition = z.output<typeof definitionSchema>;
/** A command that has the right form. */
export type ValidCommand = z.output<typeof commandSchema>;
/** A variant of a webhook that has the right form. */
export type ValidVariant = z.output<typeof webhookVariantSchema>;
/** Changes to a built-in webhook. */
export type WebhookAdjustment = z.output<typeof adjustmentSchema>;
