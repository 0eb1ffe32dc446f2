import { notFound } from '../errors.ts';
import type { StoreReader } from '../store/store.ts';
import type { Task, TaskEvent, TaskStatus } from '../types.ts';

/** The result of an event: a new status, no change (it is so already), or why it is refused. */
export type Step =
  | { readonly kind: 'to'; readonly status: TaskStatus }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly reason: string };

const ENDS = ['completed', 'failed', 'cancelled'] as const;
type End = (typeof ENDS)[number];

/** Whether a task in this status has ended. */
export function isEnd(status: TaskStatus): status is End {
  return (ENDS as readonly TaskStatus[]).includes(status);
}

/**
 * `waiting_approval, waiting_answer → queued → running → completed | failed | cancelled`. Every open task may end; an
 * ended one moves only by a retry. The same end twice changes nothing, a different one is refused.
 */
export function stepOf(from: TaskStatus, event: TaskEvent): Step {
  switch (event) {
    case 'approve':
      return from === 'waiting_approval' ? to('queued') : openOr(from, unchanged);
    case 'ask':
      return askFrom(from);
    case 'answer':
      return from === 'waiting_answer' ? to('queued') : refused('it asked nothing');
    case 'start':
      return startFrom(from);
    case 'release':
      return from === 'running' ? to('queued') : releaseFrom(from);
    case 'complete':
      return endAs('completed', from);
    case 'fail':
      return endAs('failed', from);
    case 'cancel':
      return endAs('cancelled', from);
    case 'retry':
      return retryFrom(from);
    default:
      return event satisfies never;
  }
}

function startFrom(from: TaskStatus): Step {
  switch (from) {
    case 'queued':
      return to('running');
    case 'running':
      return unchanged;
    case 'waiting_approval':
      return refused('it waits for approval');
    case 'waiting_answer':
      return refused('it waits for an answer');
    default:
      return refused(`it is ${from}`);
  }
}

/** An agent that has not started the task may ask as well: a question can come up while reading. */
function askFrom(from: TaskStatus): Step {
  if (from === 'running' || from === 'queued') return to('waiting_answer');
  return refused(
    from === 'waiting_answer' ? 'its last question is not answered yet' : `it is ${words(from)}`,
  );
}

function releaseFrom(from: TaskStatus): Step {
  return from === 'queued' ? unchanged : refused(`it is ${words(from)}, not running`);
}

function endAs(end: End, from: TaskStatus): Step {
  if (from === end) return unchanged;
  return openOr(from, to(end));
}

function retryFrom(from: TaskStatus): Step {
  if (from === 'failed' || from === 'cancelled') return to('queued');
  return from === 'queued'
    ? unchanged
    : refused(`it is ${words(from)}; only what failed or was cancelled is retried`);
}

function openOr(from: TaskStatus, step: Step): Step {
  return isEnd(from) ? refused(`it is ${from} already`) : step;
}

const unchanged: Step = { kind: 'unchanged' };

function to(status: TaskStatus): Step {
  return { kind: 'to', status };
}

function refused(reason: string): Step {
  return { kind: 'refused', reason };
}

function words(status: TaskStatus): string {
  return status.replace('_', ' for ');
}

/** What a task still waits for: everything it depends on that is not completed, failed ones too. */
export function blockersOf(
  store: Pick<StoreReader, 'task'>,
  { dependsOn }: Pick<Task, 'dependsOn'>,
): readonly Task[] {
  return dependsOn
    .map((id) => store.task(id))
    .filter((task) => task !== null)
    .filter(({ status }) => status !== 'completed');
}

/** The task of an id. `where` names the data folder. Throws `not_found`. */
export function taskNamed(
  { store }: { readonly store: Pick<StoreReader, 'task'> },
  id: string,
  where: string,
): Task {
  const task = store.task(id);
  if (task !== null) return task;
  throw notFound(`there is no task ${id} in ${where}`, 'List them with `hookctl task list`.');
}
