import type { Action } from './action.ts';
import { comment, respond } from './comment.ts';
import { ask, createTask } from './create-task.ts';
import { forward } from './forward.ts';
import { label } from './label.ts';
import { react } from './react.ts';
import { repair } from './repair.ts';
import { run } from './run.ts';

/** Everything that a command can do. One line each. */
export const actions: readonly Action[] = [
  createTask,
  comment,
  ask,
  respond,
  forward,
  run,
  react,
  label,
  repair,
];

const byName = new Map(actions.map((action) => [action.name, action]));

/** The action of that name; null when there is none (configuration refuses unknown names). */
export function actionNamed(name: string): Action | null {
  return byName.get(name) ?? null;
}
