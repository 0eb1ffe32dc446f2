import { isDeepStrictEqual } from 'node:util';
import sift from 'sift';
import { type RequestPlace, requestPlace, valueInHead } from '../lib/http/request-place.ts';
import { isJsonObject, valuesAt } from '../lib/json.ts';
import { type Budget, BudgetError, createBudget } from '../lib/limits.ts';
import type { Conditions, JsonObject, JsonValue, RequestHead } from '../types.ts';
import { type ConditionIssue, checkConditions } from './check.ts';
import { comparesText, describeActual, describeWanted, operations } from './operators.ts';

export { allOf, parseWhen, type WhenResult } from './when.ts';
export type { ConditionIssue };

type ConditionsResult =
  | { readonly ok: true; readonly conditions: Conditions }
  | { readonly ok: false; readonly problems: readonly ConditionIssue[] };

/** What all regular expressions of one evaluation may cost together, in instructions times characters. */
const REGEX_BUDGET = 8_000_000;

const NO_REQUEST: RequestHead = { headers: {}, query: '' };

/** Says why a condition does not hold; null when it holds. */
type Check = (payload: JsonObject, request: RequestHead) => string | null;
type Compile = (query: JsonObject) => (payload: JsonObject) => boolean;

/**
 * Compiles MongoDB query operators on dotted paths (array indexes allowed) and on places of the request: `header:x-event`, `query:env`,
 * `request:method`, `request:client`. A text compared with an array in which
 * objects have a `name` is compared with those names: `issue.labels: bug` means `issue.labels.name: bug`. A number or
 * a boolean equals the text of its own digits (`2` and `"2"`), because payloads hold either; a text operand is exact.
 * Everything that could run code or reach a prototype is refused before sift sees the query.
 */
export function compileConditions(source: JsonObject): ConditionsResult {
  const problems = checkConditions(source);
  if (problems.length > 0) return { ok: false, problems };
  const budget = createBudget(REGEX_BUDGET, 'too much text for its regular expressions');
  const checks = compileFields(source, compilerWith(budget));
  const unmet: Conditions['unmet'] = (payload, request = NO_REQUEST) => {
    budget.renew();
    try {
      return firstUnmet(checks, payload, request);
    } catch (error) {
      // Whether a regex that was not run would have matched is unknown; the command must not fire on it.
      if (error instanceof BudgetError) return `conditions not decided: ${error.message}`;
      throw error;
    }
  };
  return { ok: true, conditions: { source, unmet } };
}

function compileFields(fields: JsonObject, compile: Compile): readonly Check[] {
  return Object.entries(fields).flatMap(([key, query]) => {
    const alternatives = () => (query as readonly JsonObject[]).map((item) => compileFields(item, compile));
    if (key === '$and') return alternatives().flat();
    if (key === '$or') return [anyOf(alternatives())];
    if (key === '$nor') return [noneOf(alternatives())];
    return splitOperators(query ?? null).map((part) => compileTest(key, part, compile));
  });
}

function firstUnmet(checks: readonly Check[], payload: JsonObject, request: RequestHead): string | null {
  for (const check of checks) {
    const reason = check(payload, request);
    if (reason !== null) return reason;
  }
  return null;
}

function anyOf(alternatives: readonly (readonly Check[])[]): Check {
  return (payload, request) => {
    const reasons: string[] = [];
    for (const checks of alternatives) {
      const reason = firstUnmet(checks, payload, request);
      if (reason === null) return null;
      reasons.push(reason);
    }
    return `none of $or holds: ${reasons.join('; ')}`;
  };
}

function noneOf(alternatives: readonly (readonly Check[])[]): Check {
  return (payload, request) => {
    const index = alternatives.findIndex((checks) => firstUnmet(checks, payload, request) === null);
    return index < 0 ? null : `number ${index + 1} of $nor holds`;
  };
}

/** One operator each, so that the reason names the one that failed; MongoDB ands them independently, too. */
function splitOperators(query: JsonValue): readonly JsonObject[] {
  if (!isJsonObject(query)) return [{ $eq: query }];
  const { $options, ...operators } = query;
  return Object.entries(operators).map(([name, operand]) =>
    name === '$regex' && $options !== undefined ? { $regex: operand, $options } : { [name]: operand },
  );
}

function compileTest(path: string, query: JsonObject, compile: Compile): Check {
  const place = requestPlace(path);
  if (place !== null) return compileHeadTest(path, place, query, compile({ value: query }));
  const segments = path.split('.');
  const test = compile({ [path]: query });
  const testNames = comparesText(query) ? compile({ values: query }) : null;
  return (payload) => {
    const named = testNames === null ? null : withNames(valuesAt(payload, segments));
    if (testNames !== null && named !== null ? testNames({ values: named }) : test(payload)) return null;
    return `${path} ${describeActual(payload, segments)}, wanted ${describeWanted(query)}`;
  };
}

/** The same for a place of the request. */
function compileHeadTest(
  path: string,
  place: RequestPlace,
  query: JsonObject,
  test: (payload: JsonObject) => boolean,
): Check {
  return (_, request) => {
    const value = valueInHead(place, request);
    const document: JsonObject = value === undefined ? {} : { value };
    if (test(document)) return null;
    return `${path} ${describeActual(document, ['value'])}, wanted ${describeWanted(query)}`;
  };
}

/** Some values and the elements of lists among them, named objects replaced by their names; null when none has a name. */
function withNames(values: readonly JsonValue[]): readonly JsonValue[] | null {
  const elements = values.flatMap((value) =>
    Array.isArray(value) ? (value as readonly JsonValue[]) : [value],
  );
  const names = elements.map((item) =>
    isJsonObject(item) && typeof item.name === 'string' ? item.name : item,
  );
  return names.some((name, index) => name !== elements[index]) ? names : null;
}

function compilerWith(budget: Budget): Compile {
  const options = { operations: operations(budget), compare: alike };
  return (query) => sift.createQueryTester<JsonObject>(query, options);
}

/** Equal, with null for what is missing, and with a number or boolean operand for the text of its digits. */
function alike(operand: unknown, value: unknown): boolean {
  if (operand == null || value == null) return operand == null && value == null;
  if (typeof operand === 'number' || typeof operand === 'boolean') {
    return operand === value || String(operand) === value;
  }
  return isDeepStrictEqual(operand, value);
}
