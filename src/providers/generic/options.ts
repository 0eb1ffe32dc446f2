import type { z } from 'zod';
import { issuesOf } from '../../lib/diagnostics.ts';
import { suggestion } from '../../lib/suggest.ts';
import type { Issue, JsonObject } from '../../types.ts';
import { settingIssues } from './faults.ts';
import type { SignatureSettings } from './signature-settings.ts';

type Read<T> =
  | { readonly ok: true; readonly settings: T; readonly other: JsonObject }
  | { readonly ok: false; readonly issues: readonly Issue[] };

interface Reading {
  readonly base?: object;
  /** Names that are no settings, and are left to the provider. */
  readonly others?: readonly string[];
  /** All schemes that the settings serve. */
  readonly schemes?: readonly NonNullable<SignatureSettings['scheme']>[];
}

/** A issue of a name that is not known, with the known name that was probably meant; any other issue as it is. */
export function unknownSetting(issue: Issue, known: readonly string[]): Issue {
  return issue.message === 'unknown field'
    ? { ...issue, message: 'unknown setting', fix: suggestion(String(issue.path[0]), known) }
    : issue;
}

/**
 * Reads the `options` of a webhook as settings over those that a provider has already. All issues at once.
 */
export function readOptions<T extends z.ZodObject>(
  schema: T,
  options: JsonObject,
  { base = {}, others = [], schemes }: Reading,
): Read<z.output<T>> {
  const entries = Object.entries(options);
  const other = Object.fromEntries(entries.filter(([name]) => others.includes(name)));
  const own = Object.fromEntries(entries.filter(([name]) => !others.includes(name)));
  const result = schema.safeParse({ ...base, ...own });
  const known = [...Object.keys(schema.shape), ...others];
  if (!result.success) {
    const faulty = issuesOf(schema, result.error).map((issue) => unknownSetting(issue, known));
    // The rest is checked further, so that one run shows all mistakes.
    const names = faulty.map(({ path }) => path[0]);
    const right = Object.entries({ ...base, ...own }).filter(([name]) => !names.includes(name));
    const rest = schema.safeParse(Object.fromEntries(right));
    const further = rest.success ? settingIssues(rest.data, schemes) : [];
    return { ok: false, issues: [...faulty, ...further] };
  }
  const issues = settingIssues(result.data, schemes);
  return issues.length > 0 ? { ok: false, issues } : { ok: true, settings: result.data, other };
}
