import type { Command } from 'commander';
import type { App, AppFlags } from '../../app.ts';
import { type ListedWebhook, listed, quickListing, rememberListing } from '../../config/listing.ts';
import { locate } from '../../config/locate.ts';
import { formatProblem } from '../../errors.ts';
import { type Io, say } from '../../lib/io.ts';
import { hookctlVersion } from '../../lib/version.ts';
import { type LastDelivery, lastDeliveries } from '../../store/last-deliveries.ts';
import { databasePath } from '../../store/place.ts';
import { examples, type Runner } from '../command.ts';
import { localTime, webhookState } from '../print.ts';
import { below, state, table, time, whole } from '../table.ts';

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
    .action(async (flags: ListFlags) => {
      const options: AppFlags = command.optsWithGlobals();
      if (flags.json === true) await runner.run(options, listAsJson);
      else if (!listQuickly(runner, options)) await runner.run(options, list);
    });
}

/** The app and all configuration code stay unread where the list can be told without them. */
function listQuickly({ host }: Runner, { config }: AppFlags): boolean {
  const { env, cwd, home, io } = host;
  const located = locate({ cwd, env, home, configFlag: config ?? null });
  const webhooks = quickListing({ located, env, version: hookctlVersion() });
  if (webhooks === null) return false;
  printList(io, located.dataFolder, webhooks);
  return true;
}

async function list(app: App): Promise<0> {
  const configuration = await app.configuration();
  printList(app.io, app.located.dataFolder, configuration.snapshot.webhooks.map(listed));
  for (const problem of configuration.dynamic.refused) say(app.io.err, formatProblem(problem));
  await rememberListing(app, configuration, app.clock.now());
  return 0;
}

async function listAsJson(app: App): Promise<0> {
  const { printJsonList } = await import('./list-json.ts');
  return printJsonList(app);
}

function printList({ out }: Io, dataFolder: string, webhooks: readonly ListedWebhook[]): void {
  const last = lastDeliveries(
    databasePath(dataFolder),
    webhooks.map(({ name }) => name),
  );
  const rows = webhooks.map(({ name, provider, origin, enabled, hasSecret, endpoint }) => [
    name,
    provider,
    origin,
    webhookState(enabled, hasSecret),
    endpoint,
    localTime(timeOf(last.get(name))),
    last.get(name)?.id ?? '-',
  ]);
  say(
    out,
    table(
      out,
      ['name', 'provider', 'origin', state('state'), below('endpoint'), time('last'), whole('delivery')],
      rows,
    ),
  );
}

function timeOf(last: LastDelivery | undefined): string | null {
  return last === undefined ? null : new Date(last.receivedAt).toISOString();
}
