import { dirname, relative } from 'node:path';
import { type Listing, listed, quickListing } from '../../config/listing.ts';
import { type UnloadedFile, unloadedText } from '../../config/modules/files.ts';
import { locate, type ProjectPaths } from '../../config/project/locate.ts';
import { formatDiagnostic } from '../../errors.ts';
import { type Io, say } from '../../lib/io.ts';
import type { ServiceFlags, Services } from '../../services.ts';
import { catchUp, missingNote } from '../../store/local/catch-up.ts';
import { type LastDelivery, lastDeliveries } from '../../store/local/last-deliveries.ts';
import { currentHolder } from '../../store/local/lock.ts';
import { databasePath } from '../../store/local/sqlite.ts';
import type { CliCommand, JsonFlags, Runner } from '../kit/command.ts';
import { serverClient } from '../kit/operate.ts';
import { localTime, printJson, webhookState } from '../kit/print.ts';
import { below, state, table, time, whole } from '../kit/table.ts';

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List all webhooks with their origin, state and last delivery.')
    .option('--json', 'print an array')
    .examples('hookctl webhook list', 'hookctl webhook list --json | jq -r ".[].endpoint"')
    .action(async (flags: JsonFlags) => {
      const options: ServiceFlags = command.optsWithGlobals();
      if (flags.json === true) await runner.run(options, listAsJson);
      else if (!(await listQuickly(runner, options))) await runner.run(options, list);
    });
};

/** Prints the list without loading services and configuration, when it can; returns whether it did. */
async function listQuickly({ host }: Runner, { config }: ServiceFlags): Promise<boolean> {
  const { env, cwd, home, io } = host;
  const located = locate({ cwd, env, home, configFlag: config ?? null });
  // The server may run with other environment variables, so only it knows its webhooks.
  if (currentHolder(located.dataFolder)?.server != null) return false;
  const listing = await quickListing({ located, env });
  if (listing === null) return false;
  if (located.ignored !== undefined) say(io.err, `note: ${located.ignored}`);
  await printList(io, located, listing);
  return true;
}

async function list(app: Services): Promise<0> {
  const client = await serverClient(app);
  if (client !== null) {
    const [views, { not_loaded: unloaded }] = await Promise.all([client.webhooks(), client.status()]);
    const webhooks = views.map(({ has_secret: hasSecret, ...view }) => ({ ...view, hasSecret }));
    await printList(app.io, app.located, { webhooks, unloaded });
    return 0;
  }
  const configuration = await app.configuration();
  const { snapshot, unloaded } = configuration;
  await printList(app.io, app.located, { webhooks: snapshot.webhooks.map(listed), unloaded });
  for (const problem of configuration.dynamic.refused) say(app.io.err, formatDiagnostic(problem));
  return 0;
}

/** Prints every webhook as the API returns it, from the running server or else from the configuration. */
async function listAsJson(app: Services): Promise<0> {
  const [{ viewer }, { sayUnloaded }] = await Promise.all([
    import('./view.ts'),
    import('../kit/webhooks.ts'),
  ]);
  const client = await serverClient(app);
  if (client !== null) {
    const [views, status] = await Promise.all([client.webhooks(), client.status()]);
    sayUnloaded(app, status.not_loaded);
    printJson(app.io, views);
    return 0;
  }
  const configuration = await app.configuration();
  sayUnloaded(app, configuration.unloaded);
  printJson(app.io, configuration.snapshot.webhooks.map(viewer(app, configuration)));
  return 0;
}

async function printList(
  { out, err }: Io,
  { dataFolder, projectFile }: ProjectPaths,
  listing: Listing,
): Promise<void> {
  const { webhooks, unloaded } = listing;
  const folder = projectFile === null ? null : dirname(projectFile);
  const path = databasePath(dataFolder);
  const note = missingNote(catchUp(path));
  if (note !== null) say(err, note);
  const last = lastDeliveries(
    path,
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
  const isNew = ({ file, state }: UnloadedFile) => state === 'written' && file !== projectFile;
  const pending = unloaded
    .filter(isNew)
    .map(({ file }) => [
      folder === null ? file : relative(folder, file),
      '-',
      'static',
      'not loaded',
      '-',
      '-',
      '-',
    ]);
  for (const file of unloaded) say(err, unloadedText(file, folder));
  rows.push(...pending);
  say(
    out,
    await table(
      out,
      ['name', 'provider', 'origin', state('state'), below('endpoint'), time('last'), whole('delivery')],
      rows,
    ),
  );
}

function timeOf(last: LastDelivery | undefined): string | null {
  return last === undefined ? null : new Date(last.receivedAt).toISOString();
}
