import type { Command } from 'commander';
import { notFound } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import type { ServiceFlags, Services } from '../../services.ts';
import { flowDetails } from '../../task-views.ts';
import { examples, type Runner } from '../kit/command.ts';
import { facts, localTime, printJson } from '../kit/print.ts';
import { storedReader } from '../kit/stored.ts';
import { taskTree } from './tree.ts';

interface ShowFlags extends ServiceFlags {
  readonly json?: boolean;
}

export function configureShow(command: Command, runner: Runner): void {
  command
    .description('Show one flow: its conversations, and the chain of its tasks as a tree.')
    .argument('<id>', 'flow id, or the external id that it is about')
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      examples('hookctl flow show flow-0f3a8b7c6d5e4f30', 'hookctl flow show jira:PROJ-123'),
    )
    .action((id: string, flags: ShowFlags) =>
      runner.run(command.optsWithGlobals(), (app) => show(app, id, flags)),
    );
}

async function show(app: Services, id: string, { json }: ShowFlags): Promise<0> {
  const store = storedReader(app, id);
  const found = store.flows({ id })[0] ?? store.flows({ externalId: id })[0];
  if (found === undefined) {
    const { dataFolder } = app.located;
    throw notFound(`there is no flow ${id} in ${dataFolder}`, 'List them with `hookctl flow list`.');
  }
  const view = flowDetails(store, found);
  if (json === true) {
    printJson(app.io, view);
    return 0;
  }
  say(
    app.io.out,
    facts([
      ['flow', view.id],
      ['about', view.external_id],
      ['created', localTime(view.created_at)],
      ...view.conversations.map(
        ({ id: conversation, tasks }) =>
          [
            'conversation',
            `${conversation}  ${tasks} tasks${conversation === view.current_conversation_id ? ', current' : ''}`,
          ] as const,
      ),
    ]),
  );
  say(app.io.out, `\n${taskTree(view.tasks).join('\n')}`);
  return 0;
}
