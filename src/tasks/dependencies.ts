import { notFound } from '../errors.ts';
import type { StoreReader } from '../store/store.ts';
import type { Task } from '../types.ts';

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

/** The tasks of ids that a new task is to depend on, each once. Throws `not_found`. */
export function dependencies(
  store: Pick<StoreReader, 'task'>,
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
