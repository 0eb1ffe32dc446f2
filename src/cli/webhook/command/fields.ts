import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { allOf, compileConditions, parseWhen } from '../../../conditions/conditions.ts';
import { commandSchema } from '../../../config/schema.ts';
import { messageOf, usageError } from '../../../errors.ts';
import { compileTemplate } from '../../../templates/template.ts';
import type { JsonObject, JsonValue } from '../../../types.ts';
import type { Command } from '../../kit/command.ts';
import { collect, renamed } from '../../kit/options.ts';
import { fieldOptions, type GivenFlags, givenBy } from '../field-flags.ts';
import { mistakeAt, objectOption } from '../mistake.ts';

/** The settings of a command, as `command add` and `command edit` take them, where more than one option gives a field. */
export interface CommandFlags {
  readonly trigger?: string;
  readonly textName?: string;
  readonly when: readonly string[];
  readonly conditions?: string;
  readonly template?: string;
  readonly templateFile?: string;
}

export function commandOptions(command: Command): Command {
  const { trigger, ...others } = commandSchema.shape;
  const started = fieldOptions(command, { trigger }).option(
    '--when <condition>',
    'only if issue.labels.name=bug (repeatable; = != > >= < <= ~)',
    collect,
    [],
  );
  return fieldOptions(started, others)
    .option('--template-file <file>', 'read the template from a file')
    .addOption(renamed('--options <json>', '--option name=value'))
    .addOption(renamed('--target-agent <name>', '--agent'))
    .addOption(renamed('--name <word>', '--text-name'));
}

/** The fields that were given, and no others, in the words of the db. Throws `usage` that shows where a mistake is. */
export async function givenCommand(flags: CommandFlags, cwd: string): Promise<GivenFlags> {
  const conditions = givenConditions(flags);
  const template = await givenTemplate(flags, cwd);
  return {
    ...givenBy({ ...flags }, commandSchema.shape, typedSetting),
    ...(conditions !== null && { conditions }),
    ...(template !== null && { template }),
  };
}

/** The settings of actions are typed: `timeout=60` is a number, which a webhook's settings need not be. */
function typedSetting(value: JsonValue): JsonValue {
  return typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
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
