import { agentLabel } from '../labels.ts';
import { pause } from '../lib/time.ts';
import { blockersOf } from '../tasks/lifecycle.ts';
import type { AgentEvent, Task } from '../types.ts';
import type { AgentStore, McpBackend } from './backend.ts';
import { isReadable } from './scope.ts';

interface NewsOptions {
  readonly look: McpBackend['look'];
  /** Whether a task is meant for the one who listens. */
  readonly isMine: (task: Task) => boolean;
  readonly signal: AbortSignal;
}

const POLL_MS = 300;
/** `eventsSince` returns as many at once. */
const FULL_PAGE = 100;

/**
 * One line for each task and event from now on, until the signal. A line becomes a turn of a session, as if its user had
 * written it: it is made of ids and the command's name alone. `next_event` has the rest.
 */
export async function* newsOf({ look, isMine, signal }: NewsOptions): AsyncGenerator<string> {
  let seen = await look((store) => store.newestTransition(), 0);
  let blocked: readonly AgentEvent[] = [];
  do {
    const newest = await look((store) => store.newestTransition(), 0);
    if (newest === seen) continue;
    const fresh = await look((store) => store.eventsSince(seen), []);
    const last = Number(fresh.at(-1)?.id.replace('evt-', '') ?? seen);
    // A full page may have more behind it; and more may have come between the two looks.
    seen = fresh.length >= FULL_PAGE ? last : Math.max(newest, last);
    const found = await look(
      (store) => [...blocked, ...fresh].flatMap((event) => itemOf(store, event, isMine)),
      [],
    );
    blocked = found.filter(({ waits }) => waits).map(({ event }) => event);
    for (const { event, task, waits } of found) if (!waits) yield lineOf(event, task);
  } while (await pause(POLL_MS, signal));
}

/** Empty when the event is for somebody else, or over. A task that waits for others is told when it can begin. */
function itemOf(store: AgentStore, event: AgentEvent, isMine: NewsOptions['isMine']) {
  const task = store.task(event.taskId);
  if (task === null || !isReadable(task) || !isMine(task)) return [];
  if (event.kind !== 'task') return [{ event, task, waits: false }];
  return task.status === 'queued' ? [{ event, task, waits: blockersOf(store, task).length > 0 }] : [];
}

function lineOf({ id, kind, taskId }: AgentEvent, task: Task): string {
  return `hookctl ${id}: ${kind} ${taskId} ${agentLabel(task)}; next_event has it`;
}
