import { describe, expect, test } from 'vitest';
import { readClaudeLine } from '../../src/agents/claude-stream.ts';

const ZEROS = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
};

/** What hookctl reads of a result event (fields as Claude Code 2.1.330 prints them). */
function resultOf(fields: object) {
  const event = readClaudeLine(JSON.stringify({ type: 'result', session_id: 's', usage: ZEROS, ...fields }));
  if (event?.type !== 'result') throw new Error('no result');
  return event.result;
}

describe('F17: the outcome is what is_error says', () => {
  test.each([
    ['API 401', 'Failed to authenticate. API Error: 401 {"type":"error"}'],
    ['API 400', 'API Error: 400 messages: text content blocks must be non-empty'],
    ['a refusal', 'API Error: Claude Code is unable to respond to this request'],
    ['max_tokens', 'API Error: Claude’s response exceeded the 32000 output token maximum.'],
  ])('F17: %s has the subtype success, and failed', (_, result) => {
    const { failed, text } = resultOf({ subtype: 'success', is_error: true, result });
    expect({ failed, text }).toEqual({ failed: true, text: result });
  });

  test('F17: without a text the error still has words', () => {
    expect(resultOf({ subtype: 'success', is_error: true })).toMatchObject({
      failed: true,
      text: 'Claude Code reports an error',
    });
  });

  test('F17: other subtypes say how it failed', () => {
    const result = resultOf({ subtype: 'error_max_turns', is_error: true, errors: ['Reached 3 turns'] });
    expect(result).toMatchObject({ failed: true, text: 'error max turns: Reached 3 turns' });
  });

  test('F17: success without is_error is a result', () => {
    expect(resultOf({ subtype: 'success', is_error: false, result: 'Done.' })).toMatchObject({
      failed: false,
      text: 'Done.',
    });
  });
});

describe('F17: tokens', () => {
  const modelUsage = {
    'claude-opus-5': {
      inputTokens: 10,
      outputTokens: 200,
      cacheReadInputTokens: 3000,
      cacheCreationInputTokens: 400,
      costUSD: 5,
    },
    'claude-haiku-5': {
      inputTokens: 1,
      outputTokens: 2,
      cacheReadInputTokens: 0,
      cacheCreationInputTokens: 0,
      costUSD: 1,
    },
  };

  test('F17: are read from modelUsage when the budget ended the run', () => {
    const { usage } = resultOf({
      subtype: 'error_max_budget_usd',
      is_error: true,
      total_cost_usd: 6,
      modelUsage,
    });
    expect(usage).toMatchObject({ costUsd: 6, inputTokens: 3411, outputTokens: 202 });
  });

  test('F17: are those of usage where it has some', () => {
    const usage = { ...ZEROS, input_tokens: 5, output_tokens: 7 };
    expect(resultOf({ subtype: 'success', result: 'x', usage, modelUsage }).usage).toMatchObject({
      inputTokens: 5,
      outputTokens: 7,
    });
  });

  test('F17: are 0 where both say so, and unknown where neither says anything', () => {
    expect(resultOf({ modelUsage: {} }).usage).toMatchObject({ inputTokens: 0, outputTokens: 0 });
    expect(resultOf({ usage: undefined }).usage).toMatchObject({ inputTokens: null, outputTokens: null });
  });
});

test('F17: cost and counters of a resumed session are the whole session’s: its run counts what was added', () => {
  const counted = (turns: number) => ({
    'claude-sonnet-4-5': {
      inputTokens: 60 * turns,
      outputTokens: 20 * turns,
      cacheReadInputTokens: 40 * turns,
      costUSD: 0.25 * turns,
    },
  });
  const line = (turns: number) =>
    JSON.stringify({
      type: 'result',
      subtype: 'success',
      session_id: 's',
      result: 'x',
      total_cost_usd: 0.25 * turns,
      usage: { input_tokens: 60, cache_read_input_tokens: 40, output_tokens: 20 },
      modelUsage: counted(turns),
    });
  const first = readClaudeLine(line(1));
  if (first?.type !== 'result') throw new Error('no result');
  const second = readClaudeLine(line(2), first.result.meter);
  expect(second).toMatchObject({ result: { usage: { costUsd: 0.25, inputTokens: 100, outputTokens: 20 } } });
});
