import type { ClaudeState } from './claude/index.ts';
import type { TaskContext } from './context.ts';

/** What a repair found. */
interface Repair {
  readonly state: ClaudeState;
  /** Tasks that were compared with their files. */
  readonly tasks: number;
  /** Tasks whose files are still missing, with the reason. */
  readonly unsynced: readonly { readonly taskId: string; readonly reason: string }[];
}

/** Finished tasks that stay in Claude's list. */
const FINISHED_IN_LIST = 50;

/** Brings Claude's directory in line with the store: at start, when a folder is back, and by `hookctl sync`. */
export async function repairFiles({ store, claude }: Pick<TaskContext, 'store' | 'claude'>): Promise<Repair> {
  const due = store.projectable(FINISHED_IN_LIST);
  const notes = await claude.repair(due);
  await store.noteSync(notes);
  return {
    state: claude.state,
    tasks: due.length,
    unsynced: notes.flatMap(({ taskId, unsynced }) =>
      unsynced === null ? [] : [{ taskId, reason: unsynced }],
    ),
  };
}
