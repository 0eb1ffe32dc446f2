import { z } from 'zod';
import type { McpBackend } from './backend.ts';
import type { RunScope } from './scope.ts';

/** What a tool works with. */
export interface ToolContext {
  readonly backend: McpBackend;
  /** Null when the caller may do everything. */
  readonly scope: RunScope | null;
  /** The agent whose tasks are meant where a call names none; null when all. */
  readonly agent: string | null;
  readonly now: () => number;
  /** Aborted when the caller gives up, or hookctl ends. */
  readonly signal: AbortSignal;
}

/** What a tool answers. */
export interface ToolAnswer {
  /** For models whose client shows them only text. */
  readonly text: string;
  /** The same for programs. Null when the caller takes a text alone. */
  readonly data: Readonly<Record<string, unknown>> | null;
}

/** One thing that an agent can do over MCP. Listed in `tools/index.ts`. */
export interface McpTool<Input extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  /** For the model: what it does, and when to call it. */
  readonly description: string;
  readonly input: Input;
  /** It changes nothing. */
  readonly readOnly: boolean;
  /** Which callers have it. Left out: all. */
  isFor?(scope: RunScope | null): boolean;
  /** People outside see what comes of it. */
  readonly reachesOut: boolean;
  /** Throws `HookctlError`, which becomes a tool error. */
  run(context: ToolContext, input: z.output<Input>): Promise<ToolAnswer>;
}

/** Gives `run` the types of `input`. */
export function tool<Input extends z.ZodObject>(parts: McpTool<Input>): McpTool {
  return parts as unknown as McpTool;
}

/** Arguments that several tools take. */

export const taskId = z
  .string()
  .min(1)
  .optional()
  .describe('Id of the task (task-…). In a run of hookctl: default the task of this run.');

export const longText = z.string().trim().min(1).max(100_000);

export const agentName = z.string().min(1).max(100);
