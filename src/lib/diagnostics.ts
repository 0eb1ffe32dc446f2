import { z } from 'zod';
import type { Diagnostic } from '../errors.ts';
import type { Issue, Path } from '../types.ts';
import { suggestion } from './suggest.ts';

/**
 * What zod found wrong, one issue per unknown field and per wrong value, with the closest known name.
 * @param value what was parsed: of a union that is told apart by a field (`use: claude`), only the chosen member's names are known.
 */
export function issuesOf(schema: z.ZodType, error: z.ZodError, value?: unknown): readonly Issue[] {
  return error.issues.flatMap((issue) => fromZod(schema, issue, [], value));
}

type ZodIssue = z.core.$ZodIssue;

function fromZod(schema: z.ZodType, issue: ZodIssue, prefix: Path, value: unknown): readonly Issue[] {
  const path = [...prefix, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: 'unknown field',
        fix: fixForUnknown(key, [...new Set(fieldsAt(schema, path, value))]),
        atKey: true,
      }));
    case 'invalid_union': {
      const branch = issue.errors.find(hasRightForm);
      return branch === undefined
        ? [{ path, message: issue.message }]
        : branch.flatMap((inner) => fromZod(schema, inner, path, value));
    }
    case 'invalid_key':
      return issue.issues.map(({ message }) => ({ path, message: inWords(message), atKey: true }));
    default:
      return [{ path, message: inWords(issue.message) }];
  }
}

/** What others call a field, by what it is called here: the webhook architecture's names, and their likes elsewhere. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  prompttemplate: ['template'],
  prompt: ['template'],
  messagetemplate: ['template'],
  source: ['provider'],
  agent: ['targetAgent', 'target_agent'],
  targetagent: ['agent'],
  event: ['trigger'],
  eventtype: ['trigger'],
  filters: ['conditions'],
  filter: ['conditions'],
  prefix: ['commandPrefix', 'command_prefix'],
  webhooksecret: ['secret', 'secretEnv'],
  secret: ['secretEnv'],
};

function fixForUnknown(key: string, known: readonly string[]): string {
  const plain = key.replace(/[_-]/g, '').toLowerCase();
  const names = (Object.hasOwn(OTHER_NAMES, plain) ? OTHER_NAMES[plain] : null) ?? [];
  const meant = names.find((name) => known.includes(name));
  if (meant !== undefined) return `Did you mean ${meant}?`;
  if (key === 'source') return 'Did you mean provider? It cannot be set here: remove it.';
  return suggestion(key, known);
}

/** Whether this member of a union was meant: its issues are inside the value, not in the kind of value. */
function hasRightForm(issues: readonly ZodIssue[]): boolean {
  return issues.every((issue) => issue.path.length > 0 || issue.code !== 'invalid_type');
}

/** Zod's sentence without its preamble, in the words of YAML. */
function inWords(message: string): string {
  const sentence = message.replace(/^(Invalid|Too) \w+: /, '');
  return sentence.endsWith(', received undefined')
    ? `missing, ${sentence.replace(', received undefined', '')}`
    : sentence;
}

/** Names of the fields that a schema knows at a path. */
function fieldsAt(schema: unknown, path: Path, value: unknown): readonly string[] {
  const [head, ...rest] = path;
  const inner =
    head === undefined ? undefined : (value as Record<string, unknown> | null | undefined)?.[head];
  if (
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodDefault
  ) {
    return fieldsAt(schema.unwrap(), path, value);
  }
  if (schema instanceof z.ZodPipe) return fieldsAt(schema.in, path, value);
  if (schema instanceof z.ZodUnion)
    return chosen(schema, value).flatMap((option) => fieldsAt(option, path, value));
  if (schema instanceof z.ZodRecord) return fieldsAt(schema.valueType, rest, inner);
  if (schema instanceof z.ZodArray) return fieldsAt(schema.element, rest, inner);
  if (!(schema instanceof z.ZodObject)) return [];
  return head === undefined ? Object.keys(schema.shape) : fieldsAt(schema.shape[head], rest, inner);
}

/** Members of a union that a value may be meant for. */
function chosen(schema: z.ZodUnion, value: unknown): readonly unknown[] {
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema.options;
  const { discriminator } = schema.def;
  const kind = (value as Record<string, unknown> | null | undefined)?.[discriminator];
  const fits = schema.options.filter(
    (option) => option instanceof z.ZodObject && option.shape[discriminator]?.safeParse(kind).success,
  );
  return fits.length > 0 ? fits : schema.options;
}

export interface Position {
  readonly line?: number;
  readonly column?: number;
}

/** Where a value was written. */
export interface Source {
  /** Absolute path. */
  readonly file: string;
  /** The best position known for an issue; empty when there is none. */
  position(issue: Issue): Position;
}

/** An issue with its position. `prefix` is the path of the faulty value in the file. */
export function toDiagnostic(source: Source, issue: Issue, prefix: Path = []): Diagnostic {
  const path = [...prefix, ...issue.path];
  return {
    file: source.file,
    ...source.position({ ...issue, path }),
    ...(path.length === 0 ? {} : { field: path.join('.') }),
    message: issue.message,
    ...(issue.fix === undefined ? {} : { fix: issue.fix }),
  };
}

/** A copy without the faulty values: the rest can then be checked further, so that one run shows all problems. */
export function withoutFaulty(value: unknown, issues: readonly Issue[]): unknown {
  return prune(
    value,
    issues.map(({ path }) => path),
  );
}

function prune(value: unknown, paths: readonly Path[]): unknown {
  if (typeof value !== 'object' || value === null || paths.length === 0) return value;
  if (Array.isArray(value)) return value.map((item, index) => prune(item, below(paths, index)));
  const kept = Object.entries(value).filter(([key]) => !paths.some((path) => removes(path, key)));
  return Object.fromEntries(kept.map(([key, inner]) => [key, prune(inner, below(paths, key))]));
}

/** A list goes as a whole when one of its entries is faulty: positions in later messages must stay true. */
function removes([head, next, ...rest]: Path, key: string): boolean {
  return head === key && (next === undefined || (typeof next === 'number' && rest.length === 0));
}

function below(paths: readonly Path[], key: string | number): readonly Path[] {
  return paths.filter(([head, ...rest]) => head === key && rest.length > 0).map((path) => path.slice(1));
}
