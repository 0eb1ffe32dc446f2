import { say } from '../../lib/io.ts';
import type { Page } from '../../server/api/route.ts';
import type { Services } from '../../services.ts';
import { connectionView } from '../../views.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { localTime, printJson } from '../kit/print.ts';
import { remoteView } from '../kit/remote.ts';
import { below, state, table, time, whole } from '../kit/table.ts';
import type { ConnectionView } from './connect.ts';

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List the hooks at senders that hookctl keeps pointed here.')
    .option('--json', 'print an array')
    .examples('hookctl connect list')
    // `--json` is an option of `connect`, too, which takes it.
    .action(runner.action(command, (app) => list(app, command.optsWithGlobals<JsonFlags>())));
};

async function list(app: Services, { json }: JsonFlags): Promise<0> {
  const remote = await remoteView<Page<ConnectionView>>(app, 'connections');
  const rows = remote?.items ?? (app.reader()?.connections() ?? []).map(connectionView);
  if (json === true) printJson(app.io, rows);
  else if (rows.length === 0) {
    say(app.io.err, 'Nothing is connected. Make a hook: hookctl connect github owner/repository');
  } else {
    const columns = [
      whole('id'),
      whole('sender'),
      whole('target'),
      'webhook',
      whole('hook'),
      state('state'),
      time('looked at'),
      below('events'),
      below('problem'),
    ];
    say(app.io.out, await table(app.io.out, columns, rows.map(cells)));
  }
  return 0;
}

function cells(row: ConnectionView): readonly string[] {
  return [
    row.id,
    row.connector,
    row.target,
    row.webhook,
    row.remote_id ?? '-',
    row.is_paused ? 'paused' : row.remote_id === null ? 'not made' : row.problem === null ? 'ok' : 'problem',
    localTime(row.checked_at),
    row.events.join(', '),
    row.problem ?? '-',
  ];
}
