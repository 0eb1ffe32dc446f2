import type { JsonObject } from '../../../types.ts';
import type { Argument, Match, Rule } from './hooks-file.ts';

/** A rule or value that cannot be written here, with the reason. */
export class NotExpressible extends Error {}

/** Conditions that always hold: nothing to write. */
const ALWAYS: JsonObject = {};

/** How paths of a hook read here: the field that `parse-parameters-as-json` opens is the payload itself. */
export interface Paths {
  readonly formField: string | null;
}

/**
 * When a hook runs, as conditions. adnanh/webhook keeps an error beside the truth of a rule: a `match` on a missing value is false with
 * an error, `not` turns the truth alone, `and` ends at an error, `or` passes over it, and at the top it is ignored. So a
 * `not` on a missing value holds at the top and in an `or`, and not in an `and`.
 */
export function conditionsOf(rule: Rule, paths: Paths): JsonObject {
  return isTrue(rule, paths);
}

/** True, with or without an error. */
function isTrue(rule: Rule, paths: Paths): JsonObject {
  if (rule.not !== undefined) return negated(isTrue(rule.not, paths));
  return isTrueWithoutError(rule, paths);
}

function isTrueWithoutError(rule: Rule, paths: Paths): JsonObject {
  if (rule.match !== undefined) return matchCondition(rule.match, paths);
  if (rule.and !== undefined) return allOf(rule.and.map((each) => isTrueWithoutError(each, paths)));
  if (rule.or !== undefined) return anyOf(rule.or.map((each) => isTrue(each, paths)));
  return rule.not === undefined ? ALWAYS : isFalseWithoutError(rule.not, paths);
}

function isFalseWithoutError(rule: Rule, paths: Paths): JsonObject {
  if (rule.match !== undefined)
    return allOf([present(rule.match, paths), negated(matchCondition(rule.match, paths))]);
  if (rule.or !== undefined) return negated(isTrueWithoutError(rule, paths));
  if (rule.not !== undefined) return isTrueWithoutError(rule.not, paths);
  const parts = rule.and ?? [];
  return anyOf(
    parts.map((part, index) =>
      allOf([
        ...parts.slice(0, index).map((before) => isTrueWithoutError(before, paths)),
        isFalseWithoutError(part, paths),
      ]),
    ),
  );
}

function present({ parameter }: Match, paths: Paths): JsonObject {
  return parameter === undefined ? ALWAYS : { [placeOf(parameter, paths)]: { $exists: true } };
}

function matchCondition(
  { type, value, regex, parameter, 'ip-range': ranges }: Match,
  paths: Paths,
): JsonObject {
  if (type === 'ip-whitelist') return { 'request:client': { $cidr: ranges.trim().split(/\s+/) } };
  if (type === 'scalr-signature')
    throw new NotExpressible(
      'scalr-signature: its date is RFC 1123, so that no window of time can be checked',
    );
  if (isSignature(type))
    throw new NotExpressible(
      `${type} below \`or\` or \`not\`: here a signature is verified before any rule. Make a hook for each sender`,
    );
  if (type !== 'value' && type !== 'regex') throw new NotExpressible(`there is no match of type ${type}`);
  if (parameter === undefined) throw new NotExpressible(`the match of type ${type} has no parameter`);
  const place = placeOf(parameter, paths);
  if (type === 'value') return { [place]: parameter.source === 'payload' ? comparable(value) : value };
  // A pattern without anchors that takes all texts, also those that are numbers in the payload.
  return { [place]: /^\^?\.\*\$?$|^$/.test(regex) ? { $exists: true } : { $regex: regex } };
}

export function isSignature(type: string): boolean {
  return /^payload-(hmac|hash)-sha(1|256|512)$/.test(type);
}

/** A number or boolean as operand equals the text of its digits as well; a text only a text. */
function comparable(value: string): string | number | boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  return value !== '' && String(Number(value)) === value ? Number(value) : value;
}

/** Where conditions find such a value. */
export function placeOf({ source, name }: Argument, { formField }: Paths): string {
  if (source === 'header') return `header:${name.toLowerCase()}`;
  if (source === 'url' || source === 'query') return `query:${name}`;
  if (source === 'request' && name.toLowerCase() === 'method') return 'request:method';
  if (source === 'request')
    throw new NotExpressible(`request ${name} has a port in it; \`ip-whitelist\` compares addresses`);
  if (source !== 'payload') throw new NotExpressible(`no condition sees the source ${source}`);
  const [first = '', ...rest] = name.split('.');
  const path = first === formField && rest.length > 0 ? rest : [first === 'root' ? 'items' : first, ...rest];
  // Attributes and text of XML.
  return path.map((part) => part.replace(/^[-#](?=[A-Za-z])/, '_')).join('.');
}

function allOf(given: readonly JsonObject[]): JsonObject {
  const parts = given.filter((each) => Object.keys(each).length > 0).flatMap(conjuncts);
  const keys = parts.flatMap(Object.keys);
  if (new Set(keys).size === keys.length) return Object.assign({}, ...parts);
  return { $and: parts };
}

function conjuncts(condition: JsonObject): readonly JsonObject[] {
  return Object.entries(condition).map(([key, value]) => ({ [key]: value ?? null }));
}

function anyOf(given: readonly JsonObject[]): JsonObject {
  if (given.length === 1) return given[0] ?? ALWAYS;
  if (given.some((each) => Object.keys(each).length === 0)) {
    if (given.length > 0) return ALWAYS;
    throw new NotExpressible('an empty `or` never holds');
  }
  return { $or: [...given] };
}

function negated(condition: JsonObject): JsonObject {
  if (Object.keys(condition).length === 0)
    throw new NotExpressible('a `not` over what always holds never holds');
  return { $nor: [condition] };
}
