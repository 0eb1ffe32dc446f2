import type { Command } from 'commander';
import { notFound } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import type { ServiceFlags, Services } from '../../services.ts';
import { metricsView } from '../../task-views.ts';
import { taskView } from '../../views.ts';
import { taskTree } from '../flow/show.ts';
import { examples, type Runner } from '../kit/command.ts';
import { costOf, facts, localTime, printJson, tookOf } from '../kit/print.ts';
import { storedReader } from '../kit/stored.ts';
import { counts } from './list.ts';

interface ShowFlags extends ServiceFlags {
  readonly json?: boolean;
}

const TASKS_SHOWN = 500;

export function configureShow(command: Command, runner: Runner): void {
  command
    .description('Show one conversation: its totals and its tasks.')
    .argument('<id>', 'conversation id')
    .option('--json', 'print one object, its tasks under `items`')
    .addHelpText('after', examples('hookctl conversation show conv-01jd9x3k2a7f3kq2'))
    .action((id: string, flags: ShowFlags) =>
      runner.run(command.optsWithGlobals(), (app) => show(app, id, flags)),
    );
}

async function show(app: Services, id: string, { json }: ShowFlags): Promise<0> {
  const store = storedReader(app, id);
  const found = store.conversations({ id })[0];
  if (found === undefined) {
    const { dataFolder } = app.located;
    const fix = 'List them with `hookctl conversation list`.';
    throw notFound(`there is no conversation ${id} in ${dataFolder}`, fix);
  }
  const view = metricsView(found);
  const tasks = store.tasks({ conversationId: id, limit: TASKS_SHOWN }).map(taskView).toReversed();
  if (json === true) {
    printJson(app.io, { ...view, items: tasks });
    return 0;
  }
  say(
    app.io.out,
    facts([
      ['conversation', view.id],
      ['flow', view.flow_id],
      ['created', localTime(view.created_at)],
      ['started', view.started_at === null ? null : localTime(view.started_at)],
      ['completed', view.completed_at === null ? null : localTime(view.completed_at)],
      ['tasks', counts(view.by_status)],
      ['took', tookOf(view)],
      ['cost', costOf(view)],
      ['per task', view.average_cost_usd === null ? null : `$${view.average_cost_usd.toFixed(4)}`],
    ]),
  );
  say(app.io.out, `\n${taskTree(tasks).join('\n')}`);
  return 0;
}
