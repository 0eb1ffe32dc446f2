import type { Command } from 'commander';
import type { App, AppFlags } from '../../app.ts';
import { formatProblem } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { examples, type Runner } from '../command.ts';
import { served } from '../operate.ts';
import { localTime, printJson, table } from '../print.ts';
import { viewer } from './address.ts';

interface ListFlags extends AppFlags {
  readonly json?: boolean;
}

export function configureList(command: Command, runner: Runner): void {
  command
    .description('List all webhooks: where they come from, their state, the last delivery.')
    .option('--json', 'print an array')
    .addHelpText(
      'after',
      examples('hookctl webhook list', 'hookctl webhook list --json | jq -r ".[].endpoint"'),
    )
    .action((flags: ListFlags) => runner.run(command.optsWithGlobals(), (app) => list(app, flags)));
}

async function list(app: App, { json }: ListFlags): Promise<0> {
  const configuration = await app.configuration();
  const views = configuration.snapshot.webhooks.map(
    viewer(app, { configuration, served: await served(app) }),
  );
  if (json === true) printJson(app.io, views);
  else {
    const rows = views.map((view) => [
      view.name,
      view.provider,
      view.origin,
      view.enabled ? (view.has_secret ? 'enabled' : 'no secret') : 'disabled',
      view.endpoint,
      localTime(view.last_received_at),
      view.last_delivery_id ?? '-',
    ]);
    say(app.io.out, table(['name', 'provider', 'origin', 'state', 'endpoint', 'last', 'delivery'], rows));
    for (const problem of configuration.dynamic.refused) say(app.io.err, formatProblem(problem));
  }
  return 0;
}
