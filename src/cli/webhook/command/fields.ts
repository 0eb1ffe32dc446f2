import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { allOf, compileConditions, parseWhen } from '../../../conditions/conditions.ts';
import type { CommandInput } from '../../../config/dynamic/schema.ts';
import { messageOf, usageError } from '../../../errors.ts';
import { compileTemplate } from '../../../templates/template.ts';
import type { JsonObject, JsonValue } from '../../../types.ts';
import { collect, integer, renamed } from '../../kit/options.ts';
import { objectOption } from '../json-option.ts';
import { mistakeAt } from '../mistake.ts';
import { setting } from '../setting.ts';

/** The settings of a command, as `command add` and `command edit` take them. */
export interface CommandFlags {
  readonly trigger?: string;
  readonly when: readonly string[];
  readonly conditions?: string;
  readonly priority?: number;
  readonly textName?: string;
  readonly alias: readonly string[];
  readonly action?: string;
  readonly agent?: string;
  readonly template?: string;
  readonly templateFile?: string;
  readonly requiresApproval?: boolean;
  readonly approval?: string;
  readonly option: readonly string[];
}

export function commandOptions(command: Command): Command {
  return command
    .option('--trigger <type>', 'run on this event type: issues.opened, issues.*, *')
    .option('--when <condition>', 'only if issue.labels.name=bug (repeatable; = != > >= < <= ~)', collect, [])
    .option('--conditions <json>', 'only if these MongoDB query operators hold')
    .option('--priority <n>', 'triggers run lowest first, default 100', integer)
    .option('--text-name <word>', 'run when a person writes this word behind the prefix')
    .option('--alias <word>', 'another word for it (repeatable)', collect, [])
    .option('--action <name>', 'what to do, default create_task')
    .option('--agent <name>', 'who is to work on it, default: the webhook’s agent')
    .option('--template <text>', 'Handlebars, e.g. "Triage: {{issue.title}}"')
    .option('--template-file <file>', 'read the template from a file')
    .option('--requires-approval', 'the task waits until somebody approves it')
    .option('--no-requires-approval', 'the task starts by itself (the default)')
    .addOption(
      new Option(
        '--approval <never>',
        'never: it starts also on words that a stranger can have written',
      ).choices(['never']),
    )
    .option('--option <name=value>', 'a setting of the action (repeatable): program=./deploy.sh', collect, [])
    .addOption(renamed('--options <json>', '--option name=value'))
    .addOption(renamed('--target-agent <name>', '--agent'))
    .addOption(renamed('--name <word>', '--text-name'));
}

/** The fields that were given, and no others. Throws `usage` that shows where a mistake is. */
export async function givenCommand(flags: CommandFlags, cwd: string): Promise<CommandInput> {
  const { trigger, textName, alias, action, agent, priority, requiresApproval, approval, option } = flags;
  const conditions = givenConditions(flags);
  const template = await givenTemplate(flags, cwd);
  return {
    ...(trigger !== undefined && { trigger }),
    ...(conditions !== null && { conditions }),
    ...(priority !== undefined && { priority }),
    ...(textName !== undefined && { name: textName }),
    ...(alias.length > 0 && { aliases: alias }),
    ...(action !== undefined && { action }),
    ...(agent !== undefined && { target_agent: agent }),
    ...(template !== null && { template }),
    ...(requiresApproval !== undefined && { requires_approval: requiresApproval }),
    ...(approval === 'never' && { approval }),
    ...(option.length > 0 && { options: commandOptionsOf(option) }),
  };
}

/** The settings of actions are typed: `timeout=60` is a number, which a webhook's settings need not be. */
function commandOptionsOf(option: readonly string[]): JsonObject {
  return Object.fromEntries(
    option.map(setting).map(([name, value]) => [name, isNumber(value) ? Number(value) : value]),
  );
}

function isNumber(value: JsonValue): boolean {
  return typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value);
}

function givenConditions({ when, conditions }: CommandFlags): JsonObject | null {
  if (when.length > 0 && conditions !== undefined) {
    throw usageError('--when and --conditions exclude each other', 'Put all conditions into one of them.');
  }
  if (conditions !== undefined) return checked('--conditions', objectOption('--conditions', conditions));
  if (when.length === 0) return null;
  return allOf(
    when.map((text) => {
      const parsed = parseWhen(text);
      if (!parsed.ok) throw mistakeAt('--when', text, parsed.position - 1, parsed.message);
      return checked(`--when '${text}'`, parsed.condition);
    }),
  );
}

/** The form is right; what it says (operators, expressions, names) may still be refused. */
function checked(flag: string, conditions: JsonObject): JsonObject {
  const compiled = compileConditions(conditions);
  if (compiled.ok) return conditions;
  throw usageError(compiled.problems.map(({ path, message }) => `${flag}: ${path}: ${message}`).join('\n'));
}

async function givenTemplate({ template, templateFile }: CommandFlags, cwd: string): Promise<string | null> {
  if (template !== undefined && templateFile !== undefined) {
    throw usageError('--template and --template-file exclude each other', 'Give one of them.');
  }
  if (templateFile === undefined) return template === undefined ? null : compiling('--template', template);
  const file = resolve(cwd, templateFile);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw usageError(`--template-file: can't read ${file}: ${messageOf(error)}`);
  });
  return compiling(file, text);
}

function compiling(place: string, text: string): string {
  const compiled = compileTemplate(text);
  if (compiled.ok) return text;
  const { line, column, message } = compiled;
  throw usageError(`${[place, line, column].filter((part) => part !== undefined).join(':')}: ${message}`);
}
