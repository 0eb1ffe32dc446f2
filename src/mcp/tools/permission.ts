import { z } from 'zod';
import { failure, HookctlError } from '../../errors.ts';
import { pause } from '../../lib/time.ts';
import { PERMISSION_AGENT, type Task } from '../../types.ts';
import type { TaskView } from '../../views.ts';
import type { RunScope } from '../scope.ts';
import { type ToolContext, tool } from '../tool.ts';

const POLL_MS = 200;
const LONGEST_INPUT = 50_000;

/**
 * Asks a person whether a run may use a tool: a task below that of the run, which waits for approval like any other, so that
 * buttons, texts and commands decide about it by the same way. Claude Code calls it (`--permission-prompt-tool`) and takes `behavior`.
 */
export const askPermission = tool({
  name: 'ask_permission',
  description: 'For Claude Code itself: asks a person whether a tool may be used. Never call it.',
  readOnly: false,
  reachesOut: true,
  isFor: (scope) => scope !== null && scope.askPermissionMs !== null,
  input: z.looseObject({
    tool_name: z.string().min(1).max(200),
    input: z.record(z.string(), z.unknown()).default({}),
  }),
  async run(context, { tool_name: name, input }) {
    const { scope } = context;
    if (scope === null || scope.askPermissionMs === null)
      throw failure('no_run', 'only a run whose agent has `askPermission` asks for permission');
    const why = await refusal(context, scope, name, input);
    const decided =
      why === null ? { behavior: 'allow', updatedInput: input } : { behavior: 'deny', message: why };
    // Claude Code 2.1.332 refuses an answer that has structured content beside its text.
    return { text: JSON.stringify(decided), data: null };
  },
});

/** Why the tool may not be used. Null when a person allows it. */
async function refusal(
  context: ToolContext,
  scope: RunScope & { readonly askPermissionMs: number | null },
  name: string,
  input: Readonly<Record<string, unknown>>,
): Promise<string | null> {
  const shown = JSON.stringify(input, null, 2);
  // A person must be able to see all of it.
  if (shown.length > LONGEST_INPUT)
    return `the input has ${shown.length} characters, too many to show a person`;
  try {
    return await asked(context, scope, { name, shown });
  } catch (error) {
    if (error instanceof HookctlError) return error.message;
    throw error;
  }
}

async function asked(
  context: ToolContext,
  { taskId, agent, askPermissionMs }: RunScope,
  { name, shown }: { readonly name: string; readonly shown: string },
): Promise<string | null> {
  const patienceMs = askPermissionMs ?? 0;
  const outcome = await askPerson(context, {
    title: `May ${agent} use ${name}?`,
    prompt: `${name} ${shown}`,
    parentTaskId: taskId,
    patienceMs,
  });
  if (outcome === 'allowed') return null;
  if (outcome === 'refused') return 'A person refused it.';
  return outcome === 'ended' ? 'The run has ended.' : unanswered(patienceMs);
}

/** A question whether something may be done. */
interface Question {
  readonly title: string;
  /** All that a person sees of it. */
  readonly prompt: string;
  /** The task of the run that asks; null for an open session. */
  readonly parentTaskId: string | null;
  readonly patienceMs: number;
}

const unanswered = (patienceMs: number) => `No one answered within ${Math.round(patienceMs / 60_000)} min.`;

/** Makes a task of the question, which waits for approval, and ends it when it is decided, too late, or `signal` is aborted. */
export async function askPerson(
  { backend, now, signal }: Pick<ToolContext, 'backend' | 'now' | 'signal'>,
  { title, prompt, parentTaskId, patienceMs }: Question,
): Promise<'allowed' | 'refused' | 'unanswered' | 'ended'> {
  const deadline = now() + patienceMs;
  const made = await backend.call<TaskView>({
    method: 'POST',
    path: '/api/tasks',
    body: {
      title,
      prompt,
      agent: PERMISSION_AGENT,
      ...(parentTaskId !== null && { parent_task_id: parentTaskId, metadata: { new_conversation: false } }),
      requires_approval: true,
      sync_to_claude_tasks: false,
      source: 'mcp',
    },
  });
  const end = (verb: 'complete' | 'cancel', report: object) =>
    backend.call<TaskView>({
      method: 'POST',
      path: `/api/tasks/${made.id}/${verb}`,
      body: { ...report, source: 'mcp' },
    });
  for (;;) {
    const task = await backend.look<Task | null>((store) => store.task(made.id), null);
    if (task?.status === 'queued') {
      await end('complete', { result: 'Allowed.' });
      return 'allowed';
    }
    if (task?.status !== 'waiting_approval') return 'refused';
    if (signal.aborted || now() >= deadline) {
      const asker = parentTaskId === null ? 'session' : 'run';
      await end('cancel', {
        error: signal.aborted ? `The ${asker} has ended.` : unanswered(patienceMs),
      });
      return signal.aborted ? 'ended' : 'unanswered';
    }
    await pause(POLL_MS, signal);
  }
}
