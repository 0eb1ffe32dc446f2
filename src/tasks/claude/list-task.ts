import { shorten, visible, visibleLine } from '../../lib/visible.ts';
import type { JsonObject, Task, TaskStatus } from '../../types.ts';

/** A file of a list, exactly as Claude Code's schema has it (unchanged from 2.1.16 to 2.1.330). */
export interface ListTask {
  readonly id: string;
  readonly subject: string;
  readonly description: string;
  readonly activeForm?: string;
  readonly owner?: string;
  readonly status: ListStatus;
  readonly blocks: readonly string[];
  readonly blockedBy: readonly string[];
  /** The only place where unknown fields survive Claude Code's own writes. */
  readonly metadata?: JsonObject;
}

export type ListStatus = 'pending' | 'in_progress' | 'completed';

/** A list entry of hookctl's: `metadata` is always there. */
export type OwnListTask = ListTask & { readonly metadata: JsonObject };

const SUBJECT_LENGTH = 80;
const PROMPT_BYTES = 40 * 1024;
const RESULT_BYTES = 20 * 1024;

/** Null: not in the list at all. */
const LIST_STATUS: Readonly<Record<TaskStatus, ListStatus | null>> = {
  waiting_approval: null,
  queued: 'pending',
  running: 'in_progress',
  waiting_answer: 'pending',
  completed: 'completed',
  failed: 'completed',
  cancelled: 'completed',
};

/** Whether a task stands in the list; one that waits for approval must not be picked up by anybody. */
export function isListed(task: Task): boolean {
  return LIST_STATUS[task.status] !== null;
}

/** Whether a `metadata.state` is one of hookctl's final states. */
export function isFinal(state: unknown): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}

/** A task as list entry `number`. Claude Code shows subject and description; hookctl's ids go into `metadata`. */
export function toListTask(task: Task, number: number, project: string): OwnListTask {
  const title = visibleLine(task.title);
  const prefix = task.status === 'failed' || task.status === 'cancelled' ? `[${task.status}] ` : '';
  return {
    id: String(number),
    subject: shorten(prefix + title, SUBJECT_LENGTH),
    description: describe(task),
    activeForm: shorten(`Working on ${title}`, SUBJECT_LENGTH),
    status: LIST_STATUS[task.status] ?? 'pending',
    blocks: [],
    blockedBy: [],
    metadata: {
      orchestration_task_id: task.id,
      flow_id: task.flowId,
      conversation_id: task.conversationId,
      external_id: task.externalId,
      url: task.url,
      state: task.status,
      outcome: isFinal(task.status) ? task.status : null,
      project,
    },
  };
}

/**
 * A fresh entry over the one on disk. What Claude Code or a person added stays: owner, links, foreign metadata, and
 * a changed status for as long as hookctl's own state is the one that was written before.
 */
export function mergeListTask(current: ListTask, fresh: OwnListTask): OwnListTask {
  const sameState = current.metadata?.state === fresh.metadata.state;
  const { status, blocks, blockedBy, metadata, ...texts } = fresh;
  return {
    ...texts,
    ...(current.owner === undefined ? {} : { owner: current.owner }),
    status: sameState ? current.status : status,
    blocks: union(current.blocks, blocks),
    blockedBy: union(current.blockedBy, blockedBy),
    metadata: { ...current.metadata, ...metadata },
  };
}

function union(left: readonly string[], right: readonly string[]): readonly string[] {
  return [...new Set([...left, ...right])];
}

function describe(task: Task): string {
  const more = `see: hookctl task show ${task.id}`;
  const links = [
    ...(task.url === null ? [] : [`- Source: ${visibleLine(task.url)}`]),
    `- External id: ${visibleLine(task.externalId)}`,
    `- hookctl task: ${task.id}`,
  ];
  return [
    cut(task.prompt, PROMPT_BYTES, more),
    links.join('\n'),
    ...(task.result === null ? [] : [`## Result\n\n${cut(visible(task.result), RESULT_BYTES, more)}`]),
    ...(task.error === null ? [] : [`## Error\n\n${cut(visible(task.error), RESULT_BYTES / 10, more)}`]),
  ].join('\n\n');
}

/** At most `bytes` of UTF-8, with a notice when something is missing: Claude Code re-reads lists into its context. */
function cut(text: string, bytes: number, more: string): string {
  const encoded = Buffer.from(text);
  if (encoded.length <= bytes) return text;
  // `stream` keeps back a character of which only the first bytes are left.
  const kept = new TextDecoder().decode(encoded.subarray(0, bytes), { stream: true });
  return `${kept}\n\n[cut by hookctl: ${bytes} of ${encoded.length} bytes shown; ${more}]`;
}
