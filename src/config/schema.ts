import { z } from 'zod';
import { variableName } from '../lib/units.ts';
import type { JsonObject } from '../types.ts';
import { nameProblem } from './webhook-name.ts';

/*
 * The one schema of a webhook, for defineWebhook, webhooks.yml and the JSON db. `describe` is what an editor shows in
 * webhooks.yml. Defaults are applied by `resolve.ts`, after a built-in webhook and its adjustments are merged.
 */

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
  associations: list(z.string())
    .describe('Who may command, in the provider’s words (GitHub: OWNER, MEMBER, COLLABORATOR).')
    .optional(),
  users: list(idText).describe('Provider ids of people who may command.').optional(),
  apps: list(idText).describe('App ids of bots that may command.').optional(),
});

/** A command: `name` (text command) or `trigger` (trigger command), never both. */
export const commandSchema = z.strictObject({
  name: z.string().describe('Text command: the word after the prefix.').optional(),
  aliases: list(z.string()).describe('Other words for the same text command.').optional(),
  trigger: word.describe('Trigger command: an event type, such as issues.opened, issues.* or *.').optional(),
  conditions: jsonObject.describe('MongoDB query operators on dotted paths of the payload.').optional(),
  priority: z.int().describe('Lowest first; default 100.').optional(),
  action: z.string().describe('What the command does; default create_task.').optional(),
  targetAgent: word.describe('Who is to work on it; default: the webhook’s targetAgent.').optional(),
  template: z.string().describe('Handlebars: payload fields, {{@event.title}}, {{@argument}}.').optional(),
  requiresApproval: z.boolean().describe('The task waits for approval; default false.').optional(),
  approval: z
    .enum(['never'])
    .describe('never: the task starts at once, also where a stranger can have written the words (an error).')
    .optional(),
  options: jsonObject.describe('Settings of the action.').optional(),
});

/** The fields that a project may also adjust on a built-in webhook. */
const adjustableFields = {
  enabled: z.boolean().describe('false: the endpoint answers 403. Default true.').optional(),
  secretEnv: variableName
    .describe('Environment variable with the secret; default: a generated secret.')
    .optional(),
  commandPrefix: word.describe('The word that a command stands behind; default @agent.').optional(),
  requirePrefix: z
    .boolean()
    .describe('false: the default command runs on `events` without a prefix. Default true.')
    .optional(),
  targetAgent: word.describe('Who works on the tasks; default brain.').optional(),
  commands: list(commandSchema).describe('Text commands and trigger commands.').optional(),
  defaultCommand: z.string().describe('Text command that runs when no other is named.').optional(),
  events: list(word).describe('Event types whose edits may command.').optional(),
  allow: allow.describe('Who may command.').optional(),
  allowUnverifiable: z
    .boolean()
    .describe('true: also accept what came through a relay that changed the bytes. Default false.')
    .optional(),
  syncToClaudeTasks: z.boolean().describe('false: tasks stay out of Claude Code. Default true.').optional(),
  options: jsonObject.describe('Settings of the provider.').optional(),
};

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
/** Changes to a built-in webhook. */
export type WebhookAdjustment = z.output<typeof adjustmentSchema>;
