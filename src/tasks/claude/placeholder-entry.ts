import type { ListTask, OwnListTask } from './list-task.ts';

/**
 * The keeper: a pending entry that Claude Code hides (`_internal`, since about 2.1.50). An open session deletes a
 * list 5 s after all its entries are completed; with the keeper that is never so.
 */
export function placeholderEntry(number: number): OwnListTask {
  return {
    id: String(number),
    subject: 'Kept by hookctl',
    description: 'Keeps this list from being deleted when all its tasks are completed.',
    status: 'pending',
    blocks: [],
    blockedBy: [],
    metadata: { _internal: true, hookctl_keeper: true },
  };
}

/** Whether an entry does a keeper's work; one that somebody completed does not. */
export function isKeeper(task: ListTask): boolean {
  const { _internal: hidden, hookctl_keeper: keeper } = task.metadata ?? {};
  return hidden === true && keeper === true && task.status === 'pending';
}
