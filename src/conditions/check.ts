import { isSecretHeader } from '../lib/http/headers.ts';
import { requestPlace } from '../lib/http/request-place.ts';
import { isJsonObject } from '../lib/json.ts';
import { compileRegex } from '../lib/regex.ts';
import { suggestion } from '../lib/suggest.ts';
import { GROUPS, isScalar, OPERATORS, operatorNamed } from './operators.ts';

/** One mistake in conditions: where (dotted, `$or.1.issue.state`) and what was expected. */
export interface ConditionIssue {
  readonly path: string;
  readonly message: string;
}

const MAX_NESTING = 12;

/**
 * Every mistake in conditions; empty when they are good. Takes anything: a static webhook is TypeScript and can hold
 * functions and RegExp values, which sift would run.
 */
export function checkConditions(source: unknown): readonly ConditionIssue[] {
  return plainProblem(source, '', 0) ?? checkFields(source, '');
}

/** Whether it is plain JSON of a sane depth without names that lead to a prototype; first problem only. */
function plainProblem(value: unknown, path: string, depth: number): readonly ConditionIssue[] | null {
  if (isScalar(value)) return null;
  if (depth > MAX_NESTING) return problem(path, `nested deeper than ${MAX_NESTING} levels`);
  if (value instanceof RegExp) return problem(path, 'a RegExp is refused; write { $regex: "…" }');
  if (!Array.isArray(value) && !isPlainObject(value)) {
    return problem(path, `${value === undefined ? 'undefined' : `a ${typeof value}`} is no JSON value`);
  }
  for (const [key, item] of Object.entries(value)) {
    const found = nameProblem(key, path) ?? plainProblem(item, join(path, key), depth + 1);
    if (found !== null) return found;
  }
  return null;
}

function nameProblem(key: string, path: string): readonly ConditionIssue[] | null {
  const bad = key.split('.').find(leadsToPrototype);
  return bad === undefined ? null : problem(join(path, key), `"${bad}" is refused: it leads to a prototype`);
}

function checkFields(fields: unknown, path: string): readonly ConditionIssue[] {
  if (!isJsonObject(fields)) return problem(path, 'expected an object of conditions');
  return Object.entries(fields).flatMap(([key, value]) => {
    const here = join(path, key);
    if (GROUPS.includes(key)) return checkGroup(value, here);
    if (operatorNamed(key) !== undefined)
      return problem(here, `${key} needs a field before it: issue.title: { ${key}: … }`);
    if (key.startsWith('$')) return unknownOperator(key, here);
    const wrongPlace = placeProblem(key);
    if (wrongPlace !== null) return problem(here, wrongPlace);
    if (requestPlace(key) === null && key.split('.').includes(''))
      return problem(here, 'a path has an empty part');
    return isJsonObject(value) ? checkOperators(value, here) : [];
  });
}

/** An unknown place of the request, or one that no condition can see. */
function placeProblem(key: string): string | null {
  if (/^request:/.test(key) && requestPlace(key) === null)
    return `there is no ${key}; known: request:method, request:client`;
  const header = /^header:(.+)$/s.exec(key)?.[1]?.toLowerCase() ?? '';
  return isSecretHeader(header) ? `${key} is a secret, which is not kept: no condition can ask for it` : null;
}

function checkGroup(value: unknown, path: string): readonly ConditionIssue[] {
  if (!Array.isArray(value) || value.length === 0) return problem(path, 'expected a list of conditions');
  return value.flatMap((item, index) => {
    const here = join(path, String(index));
    const isEmpty = isJsonObject(item) && Object.keys(item).length === 0;
    return isEmpty
      ? problem(here, 'expected a condition, found {}, which always holds')
      : checkFields(item, here);
  });
}

function checkOperators(query: Readonly<Record<string, unknown>>, path: string): readonly ConditionIssue[] {
  const entries = Object.entries(query);
  if (entries.length === 0) return problem(path, 'expected a value or operators, found {}');
  return [
    ...entries.flatMap(([name, operand]) => checkOperator(name, operand, path)),
    ...checkRegex(query, path),
  ];
}

function checkOperator(name: string, operand: unknown, path: string): readonly ConditionIssue[] {
  const here = join(path, name);
  if (GROUPS.includes(name)) return problem(here, `${name} goes before fields, not behind one`);
  if (!name.startsWith('$')) return problem(path, `expected operators; for a field inside write ${here}`);
  const operator = operatorNamed(name);
  if (operator === undefined) return unknownOperator(name, here);
  const message = operator.check(operand);
  if (message !== null) return problem(here, message);
  if (name === '$not') return isJsonObject(operand) ? checkOperators(operand, here) : [];
  return name === '$elemMatch' && isJsonObject(operand) ? checkElement(operand, here) : [];
}

/** The operand of $elemMatch: operators on the element itself, or conditions on its fields. */
function checkElement(operand: Readonly<Record<string, unknown>>, path: string): readonly ConditionIssue[] {
  const onItself = Object.keys(operand).some((key) => operatorNamed(key) !== undefined);
  return onItself || Object.keys(operand).length === 0
    ? checkOperators(operand, path)
    : checkFields(operand, path);
}

function checkRegex(query: Readonly<Record<string, unknown>>, path: string): readonly ConditionIssue[] {
  const { $regex, $options = '' } = query;
  if ($regex === undefined) {
    return '$options' in query ? problem(join(path, '$options'), '$options needs a $regex beside it') : [];
  }
  if (typeof $regex !== 'string' || typeof $options !== 'string') return [];
  const result = compileRegex($regex, $options);
  if (result.ok) return [];
  const position = result.position === null ? '' : `character ${result.position}: `;
  return problem(join(path, '$regex'), `${position}${result.message}`);
}

function unknownOperator(name: string, path: string): readonly ConditionIssue[] {
  if (name === '$where') return problem(path, '$where is refused: it would run code');
  const known = suggestion(name, [...Object.keys(OPERATORS), ...GROUPS]);
  return problem(path, `unknown operator ${name}. ${known}`);
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  return Object.getPrototypeOf(value) === Object.prototype;
}

function problem(path: string, message: string): readonly ConditionIssue[] {
  return [{ path, message }];
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** `toString` is the name of a field of Jira's (`changelog.items[].toString`), and harmless: only its value is compared. */
function leadsToPrototype(segment: string): boolean {
  return segment === 'prototype' || (segment in Object.prototype && segment !== 'toString');
}
