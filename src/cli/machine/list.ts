import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';
import { machineView } from '../../views.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { localTime, printJson } from '../kit/print.ts';
import { state, table, time, whole } from '../kit/table.ts';

export const configureList: CliCommand = (command, runner) => {
  command
    .description(
      'List the servers that share one PostgreSQL: what each runs, what it has taken on, when it was heard of last.',
    )
    .option('--json', 'print an array')
    .examples('hookctl machine list', 'hookctl machine list --json | jq -r ".[].host"')
    .action(runner.action(command, list));
};

async function list(app: Services, { json = false }: JsonFlags): Promise<0> {
  const rows = (app.reader()?.machines() ?? []).map(machineView);
  if (json) printJson(app.io, rows);
  else if (rows.length === 0) say(app.io.err, noneText(app));
  else {
    const columns = [
      whole('host'),
      'command',
      'version',
      whole('pid'),
      state('state'),
      whole('running'),
      whole('waiting'),
      time('seen'),
      time('started'),
    ];
    const cells = rows.map((row) => [
      ...[row.host, row.command, row.version, String(row.pid), row.state],
      ...[String(row.running), String(row.waiting), localTime(row.seen_at), localTime(row.started_at)],
    ]);
    say(app.io.out, await table(app.io.out, columns, cells));
  }
  return 0;
}

function noneText({ database, located }: Services): string {
  return database === null
    ? `The store is the folder ${located.dataFolder}, which this machine has alone. Share one: docs/postgres.md`
    : `No server works on ${database.shown}. Start one: hookctl serve`;
}
