import type { Action } from './action.ts';
import { createTask } from './create-task.ts';

/** Everything that a command can do. One line each. */
export const actions: readonly Action[] = [createTask];

const byName = new Map(actions.map((action) => [action.name, action]));

/** The action of that name; null when there is none (configuration refuses unknown names). */
export function actionNamed(name: string): Action | null {
  return byName.get(name) ?? null;
}
