import { say } from '../lib/io.ts';
import type { SyncView } from '../server/api/tasks.ts';
import type { Services } from '../services.ts';
import type { CliCommand, JsonFlags } from './kit/command.ts';
import { managementCall } from './kit/operate.ts';
import { printJson, sayFacts } from './kit/print.ts';
import { below, table, whole } from './kit/table.ts';

export const configureSync: CliCommand = (command, runner) => {
  command.option('--json', 'print one object').examples('hookctl sync').action(runner.action(command, run));
};

/** Exits with 1 when a task's files are still missing. */
async function run(app: Services, { json }: JsonFlags): Promise<0 | 1> {
  const call = await managementCall(app, 'sync');
  const view = await call<SyncView>({ method: 'POST', path: '/api/sync', body: {} });
  if (json === true) printJson(app.io, view);
  else {
    sayFacts(app.io.out, [
      ['list', view.list_folder ?? 'none'],
      ['not written', view.off],
      ['tasks', `${view.tasks} compared, ${view.unsynced.length} without files`],
    ]);
    const rows = view.unsynced.map(({ task_id, reason }) => [task_id, reason]);
    if (rows.length > 0) say(app.io.out, `\n${await table(app.io.out, [whole('task'), below('why')], rows)}`);
  }
  return view.unsynced.length === 0 ? 0 : 1;
}
