import { Option } from 'commander';
import { z } from 'zod';
import { fieldFlags } from '../../config/schema.ts';
import { usageError } from '../../errors.ts';
import { snakeCased } from '../../lib/case.ts';
import type { JsonValue } from '../../types.ts';
import type { Command } from '../kit/command.ts';
import { collect, integer } from '../kit/options.ts';
import { objectOption } from './mistake.ts';

/** A number stays text: settings of providers take `60` as well as 60, and an id of digits is no number. */
const JSON_VALUE = /^(?:[[{"]|(?:true|false|null)$)/;

/** `name=value` of an `--option`. Lists, objects and true or false are taken as JSON. Throws `usage`. */
function setting(text: string): readonly [name: string, value: JsonValue] {
  const at = text.indexOf('=');
  if (at < 1)
    throw usageError(`--option ${text} has no \`=\``, 'Write it as name=value: --option header=x-signature');
  const value = text.slice(at + 1);
  return [text.slice(0, at), JSON_VALUE.test(value) ? parsed(value) : value];
}

function parsed(value: string): JsonValue {
  try {
    return JSON.parse(value) as JsonValue;
  } catch {
    return value;
  }
}

/** Fields of a webhook or of a command, as their schema has them. */
type Shape = Readonly<Record<string, z.ZodType>>;

/** What commander read; each value is checked by the schema later. */
export type GivenFlags = Readonly<Record<string, unknown>>;

interface Field {
  /** In the words of the db: `['allow', 'users']`. */
  readonly path: readonly [field: string, inner?: string];
  readonly type: z.ZodType;
  readonly option: Option;
  readonly no: string | null;
  /** What `--clear` takes. */
  readonly clear: string;
}

/** Adds the options of the fields that have one (`flag` in `config/schema.ts`), in their order. */
export function fieldOptions(command: Command, shape: Shape): Command {
  for (const { type, option, no } of fieldsOf(shape)) {
    if (type instanceof z.ZodArray || isSettings(type, option)) option.default([]).argParser(collect);
    else if (type instanceof z.ZodNumber) option.argParser(integer);
    else if (type instanceof z.ZodEnum) option.choices(type.options.map(String));
    command.addOption(option);
    if (no !== null) command.option(`--no-${option.name()}`, no);
  }
  return command;
}

/** The fields that were given, and no others, in the words of the db. Throws `usage`. */
export function givenBy(
  flags: GivenFlags,
  shape: Shape,
  read: (value: JsonValue) => JsonValue = (value) => value,
): GivenFlags {
  const given: Record<string, unknown> = {};
  for (const { path, type, option } of fieldsOf(shape)) {
    const value = flags[option.attributeName()];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    const [field, inner] = path;
    const taken = takenFrom(value, type, option, read);
    given[field] = inner === undefined ? taken : { ...Object(given[field]), [inner]: taken };
  }
  return given;
}

function takenFrom(
  value: unknown,
  type: z.ZodType,
  option: Option,
  read: (value: JsonValue) => JsonValue,
): unknown {
  if (isSettings(type, option) && Array.isArray(value)) {
    return Object.fromEntries(
      value
        .map(String)
        .map(setting)
        .map(([name, it]) => [name, read(it)]),
    );
  }
  return type instanceof z.ZodRecord ? objectOption(`--${option.name()}`, String(value)) : value;
}

/** What `--clear` takes, with the field that each of them takes away. */
export function clearable(shape: Shape): Readonly<Record<string, string>> {
  return Object.fromEntries(fieldsOf(shape).map(({ clear, path: [field] }) => [clear, field]));
}

function fieldsOf(shape: Shape): readonly Field[] {
  return Object.entries(shape).flatMap(([name, field]): readonly Field[] => {
    const path = snakeCased(name);
    const type = bare(field);
    const spec = fieldFlags.get(field);
    if (spec !== undefined) {
      const option = new Option(spec.flags, spec.help);
      return [{ path: [path], type, option, no: spec.no ?? null, clear: spec.clear ?? option.name() }];
    }
    if (!(type instanceof z.ZodObject)) return [];
    return fieldsOf(type.shape).map((inner) => ({ ...inner, path: [path, inner.path[0]], clear: path }));
  });
}

/** `--option name=value`, repeatable, in place of one JSON object. */
function isSettings(type: z.ZodType, option: Option): boolean {
  return type instanceof z.ZodRecord && option.flags.includes('=');
}

/** The type without what makes it optional or read-only. */
function bare(type: z.core.$ZodType): z.ZodType {
  return type instanceof z.ZodOptional || type instanceof z.ZodReadonly
    ? bare(type.unwrap())
    : (type as z.ZodType);
}
