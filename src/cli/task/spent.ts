import type { Command } from 'commander';
import type { TaskUsage } from '../../types.ts';
import { amount, count } from '../kit/options.ts';

/** What a run of a task used, as options. */
export interface SpentFlags {
  readonly costUsd?: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

export function spentOptions(command: Command): Command {
  return command
    .option('--cost-usd <amount>', 'what this run cost, in dollars', amount)
    .option('--input-tokens <n>', 'tokens that were read', count)
    .option('--output-tokens <n>', 'tokens that were written', count);
}

/** Null for what was not told. */
export function spentOf(flags: SpentFlags): Omit<TaskUsage, 'durationMs'> {
  return {
    costUsd: flags.costUsd ?? null,
    inputTokens: flags.inputTokens ?? null,
    outputTokens: flags.outputTokens ?? null,
  };
}
