import type { TaskCheck } from '../types.ts';

export interface TaskCheckReader {
  /** The check run that shows a task. Null when none does. */
  taskCheck(taskId: string): TaskCheck | null;
  /** Those that show no end yet, at most so many. */
  unendedChecks(limit: number): readonly TaskCheck[];
}

export interface TaskCheckWriter {
  /** Records a check run: before it is made, and whenever it shows something else. */
  noteTaskCheck(check: TaskCheck): Promise<void>;
}
