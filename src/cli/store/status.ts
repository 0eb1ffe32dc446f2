import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { bytes, printJson, sayFacts } from '../kit/print.ts';

export const configureStatus: CliCommand = (command, runner) => {
  command
    .description(
      'Show where deliveries and tasks are kept, how many there are, and which machines share them.',
    )
    .option('--json', 'print { store, deliveries, pending, tasks, body_bytes, machines } as JSON')
    .examples('hookctl store status', 'hookctl store status --json | jq .pending')
    .action(runner.action(command, status));
};

async function status(app: Services, { json = false }: JsonFlags): Promise<0> {
  const { database, located } = app;
  const store = database === null ? located.dataFolder : database.shown;
  const reader = app.reader();
  const found = {
    store,
    kind: database === null ? 'local' : 'postgres',
    deliveries: reader?.count('deliveries') ?? 0,
    pending: reader?.count('deliveries', { status: 'pending' }) ?? 0,
    tasks: reader?.count('tasks') ?? 0,
    body_bytes: reader?.logBytes() ?? 0,
    machines: reader?.machines().filter(({ isGone }) => !isGone).length ?? 0,
  };
  if (json) {
    printJson(app.io, found);
    return 0;
  }
  const number = (value: number) => value.toLocaleString('en-US');
  sayFacts(app.io.out, [
    ['store', database === null ? store : `PostgreSQL at ${store}`],
    ['deliveries', `${number(found.deliveries)}, ${number(found.pending)} pending`],
    ['tasks', number(found.tasks)],
    ['bodies', bytes(found.body_bytes)],
    ['machines', database === null ? null : number(found.machines)],
  ]);
  if (reader === null) say(app.io.err, 'Nothing is stored yet. Start with `hookctl serve`.');
  return 0;
}
