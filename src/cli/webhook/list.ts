import { dirname, relative } from 'node:path';
import { type Listing, listed, quickListing } from '../../config/listing.ts';
import { type UnloadedFile, unloadedText } from '../../config/modules/files.ts';
import { isRemote, locate, type ProjectPaths } from '../../config/project/locate.ts';
import { formatDiagnostic } from '../../errors.ts';
import { type Io, say } from '../../lib/io.ts';
import type { WebhookView } from '../../server/webhook-view.ts';
import type { ServiceFlags, Services } from '../../services.ts';
import { catchUp, missingNote } from '../../store/local/catch-up.ts';
import { type LastDelivery, lastDeliveries } from '../../store/local/last-deliveries.ts';
import { currentHolder } from '../../store/local/lock.ts';
import { databasePath } from '../../store/local/sqlite.ts';
import { storeAddress } from '../../store/postgres/chosen.ts';
import { OPERATOR } from '../../types/webhook.ts';
import type { Webhook } from '../../types.ts';
import type { CliCommand, JsonFlags, Runner } from '../kit/command.ts';
import { serverClient } from '../kit/operate.ts';
import { localTime, printJson, webhookState } from '../kit/print.ts';
import { below, state, table, time, whole } from '../kit/table.ts';

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List all webhooks with their origin, state and last delivery.')
    .option('--owner <name>', 'only those of this owner')
    .option('--label <word>', 'only those with this label')
    .option('--json', 'print an array')
    .examples('hookctl webhook list', 'hookctl webhook list --json | jq -r ".[].endpoint"')
    .action(async (flags: ListFlags) => {
      const options: ServiceFlags = command.optsWithGlobals();
      if (flags.json === true) await runner.run(options, (app) => listAsJson(app, flags));
      else if (!(await listQuickly(runner, options, flags)))
        await runner.run(options, (app) => list(app, flags));
    });
};

interface ListFlags extends JsonFlags {
  readonly owner?: string;
  readonly label?: string;
}

/** Prints the list without loading services and configuration, when it can; returns whether it did. */
async function listQuickly({ host }: Runner, { config }: ServiceFlags, flags: ListFlags): Promise<boolean> {
  const { env, cwd, home, io } = host;
  if (isRemote(env)) return false;
  const located = locate({ cwd, env, home, configFlag: config ?? null });
  // The server may run with other environment variables, so only it knows its webhooks.
  if (currentHolder(located.dataFolder)?.server != null) return false;
  if ((await storeAddress(located.projectFile, env)) !== null) return false;
  const listing = await quickListing({ located, env });
  if (listing === null) return false;
  if (located.ignored !== undefined) say(io.err, `note: ${located.ignored}`);
  await printList(io, located, listing, flags);
  return true;
}

async function list(app: Services, flags: ListFlags): Promise<0> {
  const client = await serverClient(app);
  if (client !== null) {
    const [views, { not_loaded: unloaded }] = await Promise.all([client.webhooks(), client.status()]);
    const webhooks = views.map(({ has_secret: hasSecret, ...view }) => ({ ...view, hasSecret }));
    const last = isRemote(app.env) ? lastIn(views) : (lastInDatabase(app) ?? undefined);
    await printList(app.io, app.located, { webhooks, unloaded }, flags, last);
    return 0;
  }
  const configuration = await app.configuration();
  const { snapshot, unloaded } = configuration;
  const last = lastInDatabase(app) ?? undefined;
  await printList(app.io, app.located, { webhooks: snapshot.webhooks.map(listed), unloaded }, flags, last);
  for (const problem of configuration.dynamic.refused) say(app.io.err, formatDiagnostic(problem));
  return 0;
}

/** Prints every webhook as the API returns it, from the running server or else from the configuration. */
async function listAsJson(app: Services, flags: ListFlags): Promise<0> {
  const [{ viewer }, { sayUnloaded }] = await Promise.all([
    import('./view.ts'),
    import('../kit/webhooks.ts'),
  ]);
  const client = await serverClient(app);
  if (client !== null) {
    const [views, status] = await Promise.all([client.webhooks(), client.status()]);
    sayUnloaded(app, status.not_loaded);
    printJson(app.io, views.filter(isWanted(flags)));
    return 0;
  }
  const configuration = await app.configuration();
  sayUnloaded(app, configuration.unloaded);
  const wanted = configuration.snapshot.webhooks.filter(isWanted(flags));
  printJson(app.io, wanted.map(viewer(app, configuration)));
  return 0;
}

/** What each webhook received last, where the store is a database; null for the data folder. */
function lastInDatabase({ database, reader }: Services): ReadonlyMap<string, LastDelivery> | null {
  if (database === null) return null;
  const rows = reader()?.countsByWebhook() ?? [];
  return new Map(
    rows.flatMap(({ webhook, lastDeliveryId: id, lastReceivedAt: receivedAt }) =>
      id === null || receivedAt === null ? [] : [[webhook, { id, receivedAt }] as const],
    ),
  );
}

async function printList(
  { out, err }: Io,
  { dataFolder, projectFile }: ProjectPaths,
  listing: Listing,
  flags: ListFlags,
  last = storedLast({ err }, dataFolder, listing),
): Promise<void> {
  const { unloaded } = listing;
  const webhooks = listing.webhooks.filter(isWanted(flags));
  const folder = projectFile === null ? null : dirname(projectFile);
  const isOwned = webhooks.some(({ owner }) => owner !== OPERATOR);
  const rows = webhooks.map(({ name, owner, provider, origin, enabled, hasSecret, endpoint }) => [
    name,
    ...(isOwned ? [owner] : []),
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
      ...(isOwned ? ['-'] : []),
      '-',
      'static',
      'not loaded',
      '-',
      '-',
      '-',
    ]);
  for (const file of unloaded) say(err, unloadedText(file, folder));
  if (flags.owner === undefined && flags.label === undefined) rows.push(...pending);
  say(
    out,
    await table(
      out,
      [
        'name',
        ...(isOwned ? ['owner'] : []),
        'provider',
        'origin',
        state('state'),
        below('endpoint'),
        time('last'),
        whole('delivery'),
      ],
      rows,
    ),
  );
}

type Last = ReturnType<typeof lastDeliveries>;

function storedLast({ err }: Pick<Io, 'err'>, dataFolder: string, { webhooks }: Listing): Last {
  const path = databasePath(dataFolder);
  const note = missingNote(catchUp(path));
  if (note !== null) say(err, note);
  return lastDeliveries(
    path,
    webhooks.map(({ name }) => name),
  );
}

function lastIn(views: readonly WebhookView[]): Last {
  return new Map(
    views.flatMap(({ name, last_delivery_id: id, last_received_at: at }) =>
      id === null || at === null ? [] : [[name, { id, receivedAt: Date.parse(at) }] as const],
    ),
  );
}

/** Whether a webhook has this owner and label, where they are given. */
function isWanted({ owner, label }: ListFlags) {
  return (webhook: Pick<Webhook, 'owner' | 'labels'>) =>
    (owner === undefined || webhook.owner === owner) &&
    (label === undefined || webhook.labels.includes(label));
}

function timeOf(last: LastDelivery | undefined): string | null {
  return last === undefined ? null : new Date(last.receivedAt).toISOString();
}
