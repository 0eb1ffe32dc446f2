import { claude } from './claude.ts';
import { codex } from './codex.ts';
import { command } from './command.ts';
import { copilot } from './copilot.ts';
import { gemini } from './gemini.ts';
import { opencode } from './opencode.ts';
import type { AgentRunner } from './runner.ts';

/** Every way to run an agent. */
export const agentRunners: readonly AgentRunner[] = [claude, codex, opencode, gemini, copilot, command];

export function runnerNamed(name: string): AgentRunner | null {
  return agentRunners.find((runner) => runner.name === name) ?? null;
}
