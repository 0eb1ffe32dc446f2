import { z } from 'zod';
import type { Action } from '../actions/action.ts';
import { issuesOf } from '../lib/diagnostics.ts';
import { suggestion } from '../lib/suggest.ts';
import { milliseconds } from '../lib/units.ts';
import type {
  CommandTemplate,
  Conditions,
  Issue,
  JsonObject,
  Path,
  Template,
  WebhookCommand,
} from '../types.ts';
import type { ValidCommand, ValidDefinition } from './schema.ts';
import { type ResolvedVariants, variantIssues, variantOf } from './variants.ts';

/** Words that answer a task which waits; a command of that name could never be told from the answer. */
const RESERVED: readonly string[] = ['approve', 'stop'];
const WORD = /^[\p{L}\p{N}][\p{L}\p{N}_-]*$/u;

/** A command is of one of two kinds, and takes only the fields of its kind. */
function formIssues(definition: ValidCommand): readonly Issue[] {
  const { name, trigger } = definition;
  if (name !== undefined && trigger !== undefined) {
    const message = 'has both name and trigger';
    return [{ path: [], message, fix: 'Make it two commands: one with a name, one with a trigger.' }];
  }
  if (name === undefined && trigger === undefined) {
    const fix = 'Add name (a word that people write) or trigger (an event type, such as issues.opened).';
    return [{ path: [], message: 'has neither name nor trigger', fix }];
  }
  const foreign = name === undefined ? (['aliases'] as const) : (['conditions', 'priority'] as const);
  const kind = name === undefined ? 'name' : 'trigger';
  return foreign
    .filter((field) => definition[field] !== undefined)
    .map((field) => ({
      path: [field],
      message: `belongs to a command with a ${kind}`,
      fix: `Remove ${field}, or give a ${kind} in place of the ${kind === 'name' ? 'trigger' : 'name'}.`,
      atKey: true,
    }));
}

/** Names and aliases: one word each, not reserved, used once in the webhook whatever the case. */
function wordIssues(definitions: readonly ValidCommand[]): readonly Issue[] {
  const words = definitions.flatMap(({ name, aliases = [] }, index) => [
    ...(name === undefined ? [] : [{ word: name, path: ['commands', index, 'name'] }]),
    ...aliases.map((word, position) => ({ word, path: ['commands', index, 'aliases', position] })),
  ]);
  return words.flatMap(({ word, path }, position) => {
    const lower = word.toLowerCase();
    const first = words.findIndex((other) => other.word.toLowerCase() === lower);
    if (!WORD.test(word)) {
      const fix = 'Use letters, digits, - and _ only.';
      return [{ path, message: `“${word}” is not one word`, fix }];
    }
    if (RESERVED.includes(lower)) {
      const fix = 'Choose another word.';
      return [{ path, message: `${word} is reserved: it answers a task that waits`, fix }];
    }
    if (first === position) return [];
    const fix = 'Choose another word: upper and lower case do not differ.';
    const message = `${word} is already used at ${words[first]?.path.join('.')}`;
    return [{ path, message, fix }];
  });
}

/** What a command says about its action that the action does not take: its name, its options, that it waits. */
function actionIssues(definition: ValidCommand, actions: readonly Action[]): readonly Issue[] {
  const { action: name = 'create_task', requiresApproval } = definition;
  const action = actions.find((each) => each.name === name);
  if (action === undefined) return [unknownAction(name, actions)];
  return [
    ...optionIssues(action, definition),
    ...(requiresApproval === true && action.reachesOut ? [noApproval(name)] : []),
    ...(definition.template !== undefined && !action.usesTemplate ? [noTemplate(action)] : []),
  ];
}

function unknownAction(name: string, actions: readonly Action[]): Issue {
  const known = actions.map((action) => action.name);
  const message = `there is no action ${name}`;
  return { path: ['action'], message, fix: suggestion(name, known) };
}

function optionIssues({ options: schema }: Action, { options = {} }: ValidCommand): readonly Issue[] {
  const result = schema.safeParse(options);
  if (result.success) return [];
  return issuesOf(schema, result.error).map((issue) => ({ ...issue, path: ['options', ...issue.path] }));
}

/** What is not used would be taken for what happens. */
function noTemplate({ name, options }: Action): Issue {
  const known = options instanceof z.ZodObject ? Object.keys(options.shape) : [];
  const message = `has no effect on ${name}, which renders no template`;
  const fix = `Remove it; ${name} takes these options: ${known.join(', ')}.`;
  return { path: ['template'], message, fix, atKey: true };
}

/** Only a task can wait: anything else would already have happened. */
function noApproval(name: string): Issue {
  const message = `has no effect on ${name}, which makes no task that could wait`;
  const fix = 'Remove it, or use the action create_task.';
  return { path: ['requiresApproval'], message, fix, atKey: true };
}

const TEXT_TEMPLATE = '{{@event.title}}\n\n{{@argument}}';
const TRIGGER_TEMPLATE = '{{@event.type}}: {{@event.title}}\n\n{{@event.url}}';

interface ResolvedCommands {
  /** Those without an issue. */
  readonly commands: readonly WebhookCommand[];
  readonly issues: readonly Issue[];
}

export interface CommandSettings {
  /** What a command may name. */
  readonly actions: readonly Action[];
}

/**
 * Compiles the commands of one webhook. Paths of issues start at `commands`. `isTested`: they are hookctl's own, whose
 * templates a test compiles.
 */
export async function resolveCommands(
  definitions: readonly ValidCommand[],
  targetAgent: string,
  { actions, isTested, coalesce }: CommandSettings & Pick<CommandPlace, 'isTested' | 'coalesce'>,
): Promise<ResolvedCommands> {
  const resolved = await Promise.all(
    definitions.map((definition, index) =>
      resolveCommand(definition, {
        path: ['commands', index],
        targetAgent,
        ...{ actions, isTested, coalesce },
        triggerNumber: definitions.slice(0, index + 1).filter(({ trigger }) => trigger !== undefined).length,
      }),
    ),
  );
  return {
    commands: resolved.flatMap(({ command }) => command ?? []),
    issues: [...resolved.flatMap(({ issues }) => issues), ...wordIssues(definitions)],
  };
}

interface CommandPlace {
  /** The webhook's. */
  readonly coalesce: ValidDefinition['coalesce'];
  readonly path: Path;
  readonly targetAgent: string;
  readonly actions: readonly Action[];
  readonly isTested: boolean;
  /** 1 for the first trigger command of the webhook. */
  readonly triggerNumber: number;
}

interface ResolvedCommand {
  readonly command: WebhookCommand | null;
  readonly issues: readonly Issue[];
}

async function resolveCommand(definition: ValidCommand, place: CommandPlace): Promise<ResolvedCommand> {
  const { name, aliases = [], trigger, action = 'create_task' } = definition;
  const isUsed = place.actions.find((each) => each.name === action)?.usesTemplate !== false;
  const usual = trigger === undefined ? TEXT_TEMPLATE : TRIGGER_TEMPLATE;
  const source = definition.template ?? (isUsed ? usual : '');
  const isOwn = place.isTested || definition.template === undefined;
  const template = isOwn ? { ok: true as const, template: lazyTemplate(source) } : await readTemplate(source);
  const conditions = await readConditions(definition.conditions ?? {});
  const issues: readonly Issue[] = [
    ...formIssues(definition),
    ...actionIssues(definition, place.actions),
    ...(template.ok ? [] : [templateIssue(template)]),
    ...(conditions.ok ? [] : conditions.problems.map(conditionIssue)),
  ].map((issue) => ({ ...issue, path: [...place.path, ...issue.path] }));
  if (issues.length > 0 || !template.ok || !conditions.ok) return { command: null, issues };
  const resolved = await commandVariants(definition, place);
  const { variants } = resolved;
  if (resolved.issues.length > 0) return { command: null, issues: resolved.issues };
  const base = {
    action,
    targetAgent: definition.targetAgent ?? place.targetAgent,
    template: template.template,
    requiresApproval: definition.requiresApproval ?? false,
    approval: definition.approval ?? null,
    coalesce: coalesceOf(definition, place),
    options: definition.options ?? {},
    variants,
  };
  if (name !== undefined) return { command: { ...base, kind: 'text', id: name, name, aliases }, issues };
  return {
    command: {
      ...base,
      kind: 'trigger',
      id: `trigger:${place.triggerNumber}`,
      trigger: trigger ?? '*',
      conditions: conditions.conditions,
      priority: definition.priority ?? 100,
    },
    issues,
  };
}

/** The forms of a command among which the external id chooses. */
async function commandVariants(
  { variants = [], ...usual }: ValidCommand,
  place: CommandPlace,
): Promise<ResolvedVariants> {
  if (variants.length === 0) return { variants: [], issues: [] };
  const resolved = await Promise.all(
    variants.map(async (variant, index) => {
      const { name, weight, mode, ...changes } = variant;
      const path = [...place.path, 'variants', index];
      const { command, issues } = await resolveCommand(
        { ...usual, ...changes },
        { ...place, path, isTested: false },
      );
      return { variant: command === null ? null : variantOf(variant, [command], null), issues };
    }),
  );
  return {
    variants: resolved.flatMap(({ variant }) => variant ?? []),
    issues: [
      ...variantIssues(variants).map((issue) => ({ ...issue, path: [...place.path, ...issue.path] })),
      ...resolved.flatMap(({ issues }) => issues),
    ],
  };
}

/** Only triggers that make tasks wait; a typed command runs at once. */
function coalesceOf(
  { trigger, action = 'create_task', coalesce: own }: ValidCommand,
  { coalesce: usual }: CommandPlace,
): WebhookCommand['coalesce'] {
  const { window, max } = own ?? usual ?? {};
  if (trigger === undefined || action !== 'create_task' || window === undefined) return null;
  return { window, max: max ?? `${Math.min(milliseconds(window) / 100, 86_400)}s` };
}

/** Handlebars is loaded when something is rendered, or written by a person and so checked. */
function lazyTemplate(source: string): CommandTemplate {
  let compiled: Promise<Template> | null = null;
  return {
    source,
    compiled() {
      compiled ??= readTemplate(source).then((read) => {
        if (!read.ok) throw new Error(read.message);
        return read.template.compiled();
      });
      return compiled;
    },
  };
}

async function readTemplate(source: string) {
  const { compileTemplate } = await import('../templates/template.ts');
  const result = compileTemplate(source);
  if (!result.ok) return result;
  const template: CommandTemplate = { source, compiled: async () => result.template };
  return { ok: true as const, template };
}

const ALWAYS: Conditions = { source: {}, unmet: () => null };

async function readConditions(source: JsonObject) {
  if (Object.keys(source).length === 0) return { ok: true as const, conditions: ALWAYS };
  const { compileConditions } = await import('../conditions/conditions.ts');
  return compileConditions(source);
}

function templateIssue({
  message,
  line,
  column,
}: {
  message: string;
  line?: number;
  column?: number;
}): Issue {
  const place = [
    line === undefined ? [] : `line ${line}`,
    column === undefined ? [] : `column ${column}`,
  ].flat();
  const where = place.length === 0 ? '' : ` (${place.join(', ')} of the template)`;
  return { path: ['template'], message: `does not compile: ${message}${where}` };
}

function conditionIssue({ path, message }: { path: string; message: string }): Issue {
  return { path: ['conditions', ...(path === '' ? [] : [path])], message };
}
