import { actionNamed } from '../actions/index.ts';
import type { JsonObject } from '../types.ts';
import { type Fault, faultsOf } from './problems.ts';
import type { ValidCommand } from './schema.ts';

/** What a command says about its action that the action does not take. Unknown actions are reported elsewhere. */
export function actionFaults({
  action: name = 'create_task',
  options = {},
  requiresApproval,
}: ValidCommand): readonly Fault[] {
  const action = actionNamed(name);
  if (action === null) return [];
  return [
    ...optionFaults(name, options),
    ...(requiresApproval === true && action.reachesOut ? [noApproval(name)] : []),
  ];
}

function optionFaults(name: string, options: JsonObject): readonly Fault[] {
  const schema = actionNamed(name)?.options;
  const result = schema?.safeParse(options);
  if (schema === undefined || result === undefined || result.success) return [];
  return faultsOf(schema, result.error).map((fault) => ({ ...fault, path: ['options', ...fault.path] }));
}

/** Only a task can wait: anything else would already have happened. */
function noApproval(name: string): Fault {
  const message = `has no effect on ${name}, which makes no task that could wait`;
  const fix = 'Remove it, or use the action create_task.';
  return { path: ['requiresApproval'], message, fix, atKey: true };
}
