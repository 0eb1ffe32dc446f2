import { z } from 'zod';
import { readYaml } from '../../../config/yaml.ts';
import { ConfigError } from '../../../errors.ts';

/** Where a hook of adnanh/webhook takes a value from. */
const argument = z.object({
  source: z.string(),
  name: z.coerce.string().default(''),
  envname: z.string().optional(),
});

const match = z.object({
  type: z.string(),
  value: z.coerce.string().default(''),
  regex: z.string().default(''),
  secret: z.string().default(''),
  'ip-range': z.string().default(''),
  parameter: argument.optional(),
});

const KINDS = ['and', 'or', 'not', 'match'] as const;

/** A rule: one of the four. */
export interface Rule {
  readonly and?: readonly Rule[] | undefined;
  readonly or?: readonly Rule[] | undefined;
  readonly not?: Rule | undefined;
  readonly match?: Match | undefined;
}

const rule: z.ZodType<Rule> = z.lazy(() =>
  z
    .strictObject({
      and: z.array(rule).optional(),
      or: z.array(rule).optional(),
      not: rule.optional(),
      match: match.optional(),
    })
    .refine(
      (given) => KINDS.filter((kind) => given[kind] !== undefined).length === 1,
      `expected one of ${KINDS.join(', ')}`,
    ),
);

const hook = z.looseObject({
  id: z.string().min(1, 'expected an id'),
  'execute-command': z.string().min(1, 'expected a program'),
  'command-working-directory': z.string().default(''),
  'response-message': z.string().default(''),
  'response-headers': z.array(z.object({ name: z.string(), value: z.coerce.string() })).default([]),
  'success-http-response-code': z.int().default(200),
  'incoming-payload-content-type': z.string().default(''),
  'http-methods': z.array(z.string()).default([]),
  'parse-parameters-as-json': z.array(argument).default([]),
  'pass-arguments-to-command': z.array(argument).default([]),
  'pass-environment-to-command': z.array(argument).default([]),
  'pass-file-to-command': z.array(argument).default([]),
  'trigger-rule': rule.optional(),
});

export type Argument = z.output<typeof argument>;
export type Match = z.output<typeof match>;
export type Hook = z.output<typeof hook>;

/** Begins a secret that the template read by `getenv`; the name of the variable follows. No file holds this character. */
const VARIABLE = '\u{f8ff}';

/** The variable that a secret was read from; null when it is in the file. */
export function variableOf(secret: string): string | null {
  return secret.startsWith(VARIABLE) ? secret.slice(1) : null;
}

/** Reads `hooks.json` or `hooks.yaml`. Of templates only `{{ getenv "NAME" }}` is known; others are a mistake. */
export async function readHooks(file: string, text: string): Promise<readonly Hook[]> {
  const known = text.replace(/\{\{-?\s*getenv\s+"(\w+)"\s*(?:\|\s*js\s*)?-?\}\}/g, `${VARIABLE}$1`);
  const yaml = await readYaml(file, known);
  if (yaml.problems.length > 0) throw new ConfigError(yaml.problems.map(withTemplateHint(known)));
  const read = z.array(hook).safeParse(yaml.value);
  if (read.success) return read.data;
  throw new ConfigError(
    read.error.issues.map(({ path, message }) => {
      const place = path.map(String);
      return {
        file,
        ...yaml.source.position({ path: place, message, atKey: true }),
        field: place.join('.'),
        message,
      };
    }),
  );
}

function withTemplateHint(text: string) {
  return <T extends object>(problem: T): T => ({
    ...problem,
    ...(text.includes('{{') && {
      fix: 'Templates other than {{ getenv "NAME" }} are not run: write what they print.',
    }),
  });
}
