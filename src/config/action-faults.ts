import { z } from 'zod';
import type { Action } from '../actions/action.ts';
import { suggestion } from '../lib/suggest.ts';
import { diagnosticsOf, type Fault } from './problems.ts';
import type { ValidCommand } from './schema.ts';

/** What a command says about its action that the action does not take: its name, its options, that it waits. */
export function actionFaults(definition: ValidCommand, actions: readonly Action[]): readonly Fault[] {
  const { action: name = 'create_task', requiresApproval } = definition;
  const action = actions.find((each) => each.name === name);
  if (action === undefined) return [unknownAction(name, actions)];
  return [
    ...optionFaults(action, definition),
    ...(requiresApproval === true && action.reachesOut ? [noApproval(name)] : []),
    ...(definition.template !== undefined && !action.usesTemplate ? [noTemplate(action)] : []),
  ];
}

function unknownAction(name: string, actions: readonly Action[]): Fault {
  const known = actions.map((action) => action.name);
  const message = `there is no action ${name}`;
  return { path: ['action'], message, fix: suggestion(name, known), text: name };
}

function optionFaults({ options: schema }: Action, { options = {} }: ValidCommand): readonly Fault[] {
  const result = schema.safeParse(options);
  if (result.success) return [];
  return diagnosticsOf(schema, result.error).map((fault) => ({ ...fault, path: ['options', ...fault.path] }));
}

/** What is not used would be taken for what happens. */
function noTemplate({ name, options }: Action): Fault {
  const known = options instanceof z.ZodObject ? Object.keys(options.shape) : [];
  const message = `has no effect on ${name}, which renders no template`;
  const fix = `Remove it; ${name} takes these options: ${known.join(', ')}.`;
  return { path: ['template'], message, fix, atKey: true };
}

/** Only a task can wait: anything else would already have happened. */
function noApproval(name: string): Fault {
  const message = `has no effect on ${name}, which makes no task that could wait`;
  const fix = 'Remove it, or use the action create_task.';
  return { path: ['requiresApproval'], message, fix, atKey: true };
}
