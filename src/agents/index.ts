import { claude } from './claude.ts';
import { command } from './command.ts';
import type { AgentRunner } from './runner.ts';

/** Every way to run an agent. */
export const agentRunners: readonly AgentRunner[] = [claude, command];

export function runnerNamed(name: string): AgentRunner | null {
  return agentRunners.find((runner) => runner.name === name) ?? null;
}
