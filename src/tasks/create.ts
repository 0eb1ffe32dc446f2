import { failure, notFound, usageError } from '../errors.ts';
import { escapeInvisible, escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
import { type JsonObject, OPERATOR, type Task } from '../types.ts';
import { findSubject, startsNewConversation } from './flows.ts';
import { taskNamed } from './lifecycle.ts';
import { refusedAgent } from './owner-limits.ts';
import { syncTasks, type TaskContext } from './sync.ts';

/** A task that a person or an agent asks for. */
export interface TaskRequest {
  readonly prompt: string;
  /** Default: the first line of the prompt. */
  readonly title?: string | undefined;
  /** Default: the parent's agent, else `brain`. */
  readonly agent?: string | undefined;
  /** Its flow and conversation are inherited. */
  readonly parentId?: string | undefined;
  readonly dependsOn?: readonly string[] | undefined;
  /** Default: the parent's, else the operator. */
  readonly owner?: string | undefined;
  /** Whose flow it joins; only without a parent. Default: a flow of its own. */
  readonly externalId?: string | undefined;
  readonly url?: string | undefined;
  /** Kept with the task; `new_conversation` decides about the conversation. */
  readonly metadata?: JsonObject | undefined;
  readonly requiresApproval?: boolean | undefined;
  readonly syncToClaudeTasks?: boolean | undefined;
}

/** Where a task comes from that no delivery made. */
export type TaskSource = 'cli' | 'api' | 'mcp' | 'schedule';

const TITLE_LENGTH = 80;
const DEFAULT_AGENT = 'brain';

/**
 * Makes a task. A child inherits flow and conversation, unless its metadata or what was typed asks for a new one: the
 * flow always stays. Throws `usage` and `not_found`.
 */
export async function createTask(
  context: TaskContext,
  request: TaskRequest,
  source: TaskSource,
  where: string,
): Promise<Task> {
  const { store, ids, clock, mostChildren } = context;
  const { metadata = {}, parentId } = request;
  const firstLine = request.prompt.split('\n').find((line) => line.trim() !== '');
  if (firstLine === undefined) throw usageError('a task needs a prompt');
  if (parentId !== undefined && request.owner !== undefined)
    throw usageError('a child has the owner of its parent: leave out the owner');
  if (parentId !== undefined && request.externalId !== undefined) {
    throw usageError('a child stays in the flow of its parent: leave out the external id');
  }
  const parent = parentId === undefined ? null : taskNamed(context, parentId, where);
  const id = ids.next('task');
  const agent = request.agent ?? parent?.agent ?? DEFAULT_AGENT;
  const owner = parent?.owner ?? request.owner ?? OPERATOR;
  const refusal = refusedAgent(context.owners, owner, agent);
  if (refusal !== null) throw failure('agent_not_allowed', refusal);
  const { flowId, externalId } = parent ?? subjectNamed(store, owner, request.externalId ?? `hookctl:${id}`);
  const task = await store.createTask({
    task: {
      id,
      title: shorten(escapeInvisibleLine(request.title ?? firstLine), TITLE_LENGTH),
      status: request.requiresApproval === true ? 'waiting_approval' : 'queued',
      agent,
      prompt: escapeInvisible(request.prompt),
      typed: request.prompt,
      url: request.url ?? parent?.url ?? null,
      syncToClaudeTasks: request.syncToClaudeTasks ?? parent?.syncToClaudeTasks ?? true,
      sourceMetadata: metadata,
    },
    source,
    actor: source,
    owner,
    parent,
    dependsOn: dependencies(store, request.dependsOn ?? [], where),
    ...{ flowId, externalId },
    newConversationId: ids.next('conv'),
    startNewConversation: startsNewConversation(request.prompt, metadata),
    mostBelow: source === 'mcp' && parent !== null ? mostChildren : null,
    at: clock.now(),
  });
  if (task === null) {
    const root = parent?.initiatedTaskId ?? id;
    throw failure(
      'too_many_children',
      `${root} has ${mostChildren} open tasks below it, which are the most`,
      {
        fix: 'Complete or cancel some of them, or do this work within an open one. `runs: { openChildren: … }` sets the bound.',
      },
    );
  }
  const [synced] = await syncTasks(context, [task]);
  return synced ?? task;
}

/** A joined flow owns several subjects: the task is about the one that was named. */
function subjectNamed(
  store: TaskContext['store'],
  owner: string,
  named: string,
): { readonly flowId: string; readonly externalId: string } {
  const { flowId, flow } = findSubject(store, owner, { externalId: named });
  return { flowId, externalId: flow?.externalId ?? named };
}

/** The tasks of ids that a new task is to depend on, each once. Throws `not_found`. */
function dependencies(
  store: Pick<TaskContext['store'], 'task'>,
  ids: readonly string[],
  where: string,
): readonly string[] {
  const missing = ids.find((id) => store.task(id) === null);
  if (missing !== undefined) {
    throw notFound(
      `there is no task ${missing} in ${where} to depend on`,
      'List them with `hookctl task list`.',
    );
  }
  return [...new Set(ids)];
}
