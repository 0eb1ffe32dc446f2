import type { TaskCheck } from '../../../types.ts';
import type { TaskCheckReader } from '../../task-checks.ts';
import type { Sql } from '../sql.ts';
import { table } from './table.ts';

const TASK_CHECKS = table<TaskCheck>('task_checks', {});

export function readTaskChecks(sql: Sql): TaskCheckReader {
  return {
    taskCheck: (taskId) => TASK_CHECKS.get(sql, taskId),
    unendedChecks: (limit) =>
      TASK_CHECKS.all(sql, "where problem is null and shown not like 'completed%' order by id limit ?", [
        limit,
      ]),
  };
}

/** Records a check run, in place of what was recorded of the task. */
export function noteTaskCheck(sql: Sql, check: TaskCheck): void {
  sql.run('delete from task_checks where id = ?', [check.id]);
  TASK_CHECKS.insert(sql, check);
}
