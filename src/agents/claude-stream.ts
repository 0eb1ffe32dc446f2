import { isJsonObject } from '../lib/json.ts';
import type { JsonObject, JsonValue, ModelTokens, RunCause, RunUsage } from '../types.ts';
import { causeOf, numberOf, objectOf, readEvent, textOf, tokensSince, toolCall, usageOf } from './events.ts';
import type { LogLine } from './runner.ts';

/**
 * The last event of a run (Claude Code 2.1.330). `is_error` says whether it failed: a refusal or an error of the API has
 * the subtype `success`, too. Other subtypes name how it failed.
 */
export interface ClaudeResult {
  readonly failed: boolean;
  readonly text: string;
  /** Left out when it did not fail. */
  readonly cause?: RunCause;
  readonly sessionId: string | null;
  /** Of this run alone. */
  readonly usage: RunUsage;
  /** Of the whole session, by model. */
  readonly meter: readonly ModelTokens[];
  readonly denials: readonly string[];
}

/** What one line of `--output-format stream-json` says; more kinds exist, and more will. */
type ClaudeEvent =
  | { readonly type: 'init'; readonly sessionId: string; readonly folder: string | null }
  | { readonly type: 'log'; readonly lines: readonly LogLine[] }
  | { readonly type: 'result'; readonly result: ClaudeResult };

/** `before`: the session's counters when its last run ended. Null when the line is no JSON: a message for people. */
export function readClaudeLine(line: string, before: readonly ModelTokens[] = []): ClaudeEvent | null {
  const event = readEvent(line);
  if (event === null) return null;
  const { type, subtype, session_id: sessionId } = event;
  if (type === 'result') return { type: 'result', result: resultOf(event, before) };
  if (type === 'system' && subtype === 'init' && typeof sessionId === 'string') {
    return { type: 'init', sessionId, folder: textOf(event.cwd) };
  }
  if (type === 'assistant') return { type: 'log', lines: contentOf(event).flatMap(spoken) };
  if (type === 'system' && subtype === 'api_retry') {
    return { type: 'log', lines: [{ kind: 'note', text: retryText(event) }] };
  }
  return { type: 'log', lines: [] };
}

function retryText({ error_status: status, error, attempt, max_retries: most }: JsonObject): string {
  const why = [numberOf(status), textOf(error)?.replaceAll('_', ' ')].filter(Boolean).join(' ');
  const count = numberOf(attempt) === null ? '' : ` (${attempt} of ${numberOf(most) ?? '?'})`;
  return `the API refused for now${why === '' ? '' : `: ${why}`}; Claude Code tries again${count}`;
}

function contentOf({ message }: JsonObject): readonly JsonValue[] {
  const content = isJsonObject(message) ? message.content : null;
  return Array.isArray(content) ? content : [];
}

function spoken(block: JsonValue): readonly LogLine[] {
  if (!isJsonObject(block)) return [];
  if (block.type === 'text' && typeof block.text === 'string') return [{ kind: 'said', text: block.text }];
  if (block.type !== 'tool_use') return [];
  return [{ kind: 'did', text: toolCall(block.name, block.input) }];
}

function resultOf(event: JsonObject, before: readonly ModelTokens[]): ClaudeResult {
  const { subtype, is_error: isError, result, errors, session_id: sessionId, num_turns: turns } = event;
  const { api_error_status: status } = event;
  const failed = isError === true || (subtype !== undefined && subtype !== 'success');
  const causes = Array.isArray(errors) ? errors.filter((error) => typeof error === 'string').join('; ') : '';
  const how = subtype === 'success' ? null : textOf(subtype)?.replaceAll('_', ' ');
  const why = [how, causes || textOf(result)].filter(Boolean).join(': ');
  return {
    failed,
    text: failed ? why || 'Claude Code reports an error' : (textOf(result) ?? ''),
    ...(failed && { cause: subtype === 'success' ? causeOf(why, numberOf(status)) : 'failed' }),
    sessionId: textOf(sessionId),
    usage: {
      costUsd: costOf(event, before),
      ...tokensOf(event, before),
      turns: numberOf(turns),
    },
    meter: countersOf(event),
    denials: denialsOf(event.permission_denials),
  };
}

/** `total_cost_usd` and `modelUsage` are the whole session's, also in a run that resumed it (2.1.332). */
function costOf({ total_cost_usd: value }: JsonObject, before: readonly ModelTokens[]): number | null {
  const total = numberOf(value);
  const earlier = before.reduce((sum, { costUsd = 0 }) => sum + costUsd, 0);
  return total === null || total < earlier ? total : total - earlier;
}

function countersOf({ modelUsage }: JsonObject): readonly ModelTokens[] {
  return Object.entries(objectOf(modelUsage)).map(([model, value]) => {
    const counted = objectOf(value);
    const count = (name: string) => numberOf(counted[name]) ?? 0;
    return {
      model,
      input: count('inputTokens'),
      cached: count('cacheReadInputTokens'),
      cacheWrite: count('cacheCreationInputTokens'),
      output: count('outputTokens'),
      costUsd: count('costUSD'),
    };
  });
}

/** `usage` is this run's, and all zeros where the budget or an error ended it: the counters then have what it took. */
function tokensOf(
  event: JsonObject,
  before: readonly ModelTokens[],
): Pick<RunUsage, 'inputTokens' | 'outputTokens'> {
  const { usage } = event;
  const counters = tokensSince(before, countersOf(event));
  const own = objectOf(usage);
  const count = (name: string) => numberOf(own[name]) ?? 0;
  const inputTokens =
    count('input_tokens') + count('cache_creation_input_tokens') + count('cache_read_input_tokens');
  const outputTokens = count('output_tokens');
  if (counters.length > 0 && inputTokens + outputTokens === 0) {
    const counted = usageOf(counters, { costUsd: null, turns: null });
    return { inputTokens: counted.inputTokens, outputTokens: counted.outputTokens };
  }
  return isJsonObject(usage) ? { inputTokens, outputTokens } : { inputTokens: null, outputTokens: null };
}

function denialsOf(value: JsonValue | undefined): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isJsonObject).map(({ tool_name: tool, tool_input: input }) => toolCall(tool, input));
}
