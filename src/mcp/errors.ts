import { HookctlError } from '../errors.ts';
import type { ToolAnswer } from './tool.ts';

/** What an agent can do about failures whose fix is a command of the CLI. */
const NEXT: Readonly<Record<string, string>> = {
  task_state: 'See where it stands and how it got there with get_task.',
  in_use: 'Try again in a moment.',
  unreachable: 'Try again in a moment.',
};

/** A foreseen failure as the answer of a tool. Rethrows anything else. */
export function toolError(error: unknown): ToolAnswer {
  if (!(error instanceof HookctlError)) throw error;
  const fix = NEXT[error.code] ?? error.fix;
  return {
    text: fix === null ? error.message : `${error.message}\n${fix}`,
    data: { error: { code: error.code, message: error.message, fix } },
  };
}
