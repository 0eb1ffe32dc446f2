import { isJsonObject } from '../lib/json.ts';
import { escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
import type { JsonObject, JsonValue, ModelTokens, RunCause, RunUsage } from '../types.ts';

const INPUT_LENGTH = 200;

/** One line of a program's JSON lines; null when the line is no JSON object: a message for people. */
export function readEvent(line: string): JsonObject | null {
  if (!line.startsWith('{')) return null;
  try {
    const event: unknown = JSON.parse(line);
    return isJsonObject(event) ? event : null;
  } catch {
    return null;
  }
}

export function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

export function numberOf(value: JsonValue | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}

/** The value, or an empty object when it is no object. */
export function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** `Bash {"command":"npm test"}`, on one line. */
export function toolCall(name: JsonValue | undefined, input: JsonValue | undefined): string {
  const shown = typeof input === 'string' ? input : JSON.stringify(input ?? {});
  return shorten(escapeInvisibleLine(`${textOf(name) ?? 'a tool'} ${shown}`), INPUT_LENGTH);
}

const RATE_LIMIT =
  /\b(?:429|529)\b|too many requests|rate.?limit|usage limit|quota|overloaded|RESOURCE_EXHAUSTED/i;
const NO_LOGIN = /\b401\b|unauthori[sz]ed|authenticat|missing environment variable|api.?key|log ?in|no auth/i;

/** What an API's refusal means: by its status where the program gives it, else by its words. */
export function causeOf(text: string, status: number | null = null): RunCause {
  if (status === 429 || status === 529) return 'rate_limited';
  if (status === 401 || status === 403) return 'no_login';
  if (status !== null) return status < 500 ? 'refused' : 'failed';
  if (RATE_LIMIT.test(text)) return 'rate_limited';
  return NO_LOGIN.test(text) ? 'no_login' : 'failed';
}

const KINDS = ['input', 'cached', 'cacheWrite', 'output'] as const;

/** What a session took since its counters were last read, by model. A counter that went back was started anew. */
export function tokensSince(
  before: readonly ModelTokens[],
  now: readonly ModelTokens[],
): readonly ModelTokens[] {
  return now.map((counted) => {
    const earlier = before.find(({ model }) => model === counted.model);
    if (earlier === undefined || KINDS.some((kind) => earlier[kind] > counted[kind])) return counted;
    const rest = KINDS.map((kind) => [kind, counted[kind] - earlier[kind]]);
    const cost = counted.costUsd === undefined ? {} : { costUsd: counted.costUsd - (earlier.costUsd ?? 0) };
    return { ...counted, ...Object.fromEntries(rest), ...cost };
  });
}

/** Tokens as a run's usage; null where the program said none. */
export function usageOf(tokens: readonly ModelTokens[], more: Pick<RunUsage, 'costUsd' | 'turns'>): RunUsage {
  const sum = (count: (each: ModelTokens) => number) =>
    tokens.length === 0 ? null : tokens.reduce((total, each) => total + count(each), 0);
  return {
    ...more,
    inputTokens: sum(({ input, cached, cacheWrite }) => input + cached + cacheWrite),
    outputTokens: sum(({ output }) => output),
  };
}
