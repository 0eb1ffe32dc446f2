import { isJsonObject } from '../lib/json.ts';
import type { JsonObject, JsonValue, RunCause, RunUsage } from '../types.ts';
import { causeOf, numberOf, readEvent, textOf, toolCall } from './events.ts';
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
  readonly usage: RunUsage;
  readonly denials: readonly string[];
}

/** What one line of `--output-format stream-json` says; more kinds exist, and more will. */
type ClaudeEvent =
  | { readonly type: 'init'; readonly sessionId: string; readonly folder: string | null }
  | { readonly type: 'log'; readonly lines: readonly LogLine[] }
  | { readonly type: 'result'; readonly result: ClaudeResult };

/** Null when the line is no JSON: a message for people. */
export function readClaudeLine(line: string): ClaudeEvent | null {
  const event = readEvent(line);
  if (event === null) return null;
  const { type, subtype, session_id: sessionId } = event;
  if (type === 'result') return { type: 'result', result: resultOf(event) };
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

function resultOf(event: JsonObject): ClaudeResult {
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
      costUsd: numberOf(event.total_cost_usd),
      ...tokensOf(event),
      turns: numberOf(turns),
    },
    denials: denialsOf(event.permission_denials),
  };
}

/** `usage` is all zeros where the budget or an error ended the run; `modelUsage` then has what each model took. */
function tokensOf({ usage, modelUsage }: JsonObject): Pick<RunUsage, 'inputTokens' | 'outputTokens'> {
  const total = isJsonObject(usage)
    ? summed(
        [usage],
        ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens'],
        'output_tokens',
      )
    : { inputTokens: null, outputTokens: null };
  const models = isJsonObject(modelUsage) ? Object.values(modelUsage).filter(isJsonObject) : [];
  if (models.length === 0 || (total.inputTokens ?? 0) + (total.outputTokens ?? 0) > 0) return total;
  return summed(models, ['inputTokens', 'cacheCreationInputTokens', 'cacheReadInputTokens'], 'outputTokens');
}

function summed(
  parts: readonly JsonObject[],
  read: readonly string[],
  written: string,
): { readonly inputTokens: number; readonly outputTokens: number } {
  const sumOf = (names: readonly string[]) =>
    parts
      .flatMap((part) => names.map((name) => numberOf(part[name]) ?? 0))
      .reduce((sum, each) => sum + each, 0);
  return { inputTokens: sumOf(read), outputTokens: sumOf([written]) };
}

function denialsOf(value: JsonValue | undefined): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isJsonObject).map(({ tool_name: tool, tool_input: input }) => toolCall(tool, input));
}
