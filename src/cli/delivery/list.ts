import { setTimeout as delay } from 'node:timers/promises';
import { type Io, say } from '../../lib/io.ts';
import { escapeInvisibleJson, escapeInvisibleLine, shorten } from '../../lib/text/escape-invisible.ts';
import type { Services } from '../../services.ts';
import type { DeliveryFilter } from '../../store/store.ts';
import { DELIVERY_STATUSES, type DeliveryStatus } from '../../types.ts';
import { type DeliveryView, deliveryView } from '../../views.ts';
import type { CliCommand } from '../kit/command.ts';
import { type Followed, type ListColumn, type ListFlags, listCommand } from '../kit/list.ts';
import { oneOf, type SearchFlags, searchFilter, searchOptions } from '../kit/options.ts';
import { localTime } from '../kit/print.ts';
import { webhookNames } from '../kit/stored.ts';
import { below, state, time, whole } from '../kit/table.ts';

interface DeliveryFlags extends ListFlags, SearchFlags {
  readonly status?: DeliveryStatus;
  readonly webhook?: string;
}

/** Ids of printed deliveries, so that none is printed twice. */
const REMEMBERED = 10_000;
const REASON_LENGTH = 100;

const COLUMNS: readonly ListColumn<DeliveryView>[] = [
  [whole('id'), ({ id }) => id],
  [time('received'), ({ received_at: at }) => localTime(at)],
  ['webhook', ({ webhook }) => webhook],
  ['event', ({ event_type: type }) => type ?? '-'],
  ['sender', ({ sender }) => sender ?? '-'],
  [state('status'), ({ status, sample }) => (sample ? `${status} (sample)` : status)],
  [below('reason'), ({ reason }) => shorten(reason ?? '', REASON_LENGTH)],
];

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List deliveries, newest first.')
    .addOption(oneOf('--status <status>', 'only those in this status', DELIVERY_STATUSES))
    .option('--webhook <name>', 'only those of this webhook')
    .option('-f, --follow', 'print new ones as they come, until Ctrl-C');
  searchOptions(command, { text: 'only with this in the row or the body' });
  listCommand(command, runner, {
    list: 'deliveries',
    nouns: ['delivery', 'deliveries'],
    names: (app, { webhook }: DeliveryFlags) => [
      { noun: 'webhook', value: webhook, known: webhookNames(app) },
    ],
    find: (store, id) => store.delivery(id),
    filter: async ({ limit, before, status, webhook, ...search }, { clock }) => ({
      ...(await searchFilter(search, clock.now())),
      limit,
      ...(before !== undefined && { before }),
      ...(status !== undefined && { status }),
      ...(webhook !== undefined && { webhook }),
    }),
    rows: (store, filter) => store.deliveries(filter).map(deliveryView),
    total: (store) => store.countsByWebhook().reduce((sum, row) => sum + row.total, 0),
    columns: () => COLUMNS,
    follow,
    json: 'print an array; with --follow one object on each line',
  }).examples('hookctl delivery list --status rejected', 'hookctl delivery list -f --json | jq .reason');
};

/**
 * Prints new deliveries as they are settled, until a signal: with a server by its live stream, else by looking again. What the
 * stream names is read from the store, by which the filters count for it as for a list.
 */
async function follow(
  app: Services,
  { flags, filter: { before: _, ...filter }, rows }: Followed<DeliveryFilter, DeliveryFlags, DeliveryView>,
): Promise<0> {
  const end = new AbortController();
  void app.signals.next().then(() => end.abort());
  const printed = new Set<string>();
  let last = '';
  const print = (fresh: readonly DeliveryView[]) => {
    for (const row of fresh.filter(({ id }) => !printed.has(id))) {
      printLines(app.io, [row], flags);
      printed.add(row.id);
      if (printed.size > REMEMBERED) printed.delete(printed.values().next().value ?? '');
      if (row.id > last) last = row.id;
    }
  };
  const read = (more: DeliveryFilter) =>
    (app.reader()?.deliveries({ ...filter, ...more }) ?? []).map(deliveryView);
  print(rows.toReversed());
  const { eventsOfServer } = await import('../kit/operate.ts');
  for await (const event of eventsOfServer(app, ['delivery'], end.signal)) {
    if (event === null) print(read({ after: last }));
    else if (event.type !== 'delivery')
      print(read({ after: last }).filter(({ status }) => status !== 'pending'));
    else if (event.status !== 'pending' && (await isReadable(app, event.id))) print(read({ id: event.id }));
  }
  return 0;
}

/** An event may come before its row can be read. */
async function isReadable(app: Services, id: string): Promise<boolean> {
  for (let tries = 0; tries < 100; tries += 1) {
    const row = app.reader()?.delivery(id) ?? null;
    if (row !== null && row.status !== 'pending') return true;
    await delay(20);
  }
  return false;
}

function printLines({ out }: Io, rows: readonly DeliveryView[], { json }: DeliveryFlags): void {
  for (const row of rows) {
    const cells = COLUMNS.map(([, text]) => escapeInvisibleLine(text(row)));
    say(out, json === true ? escapeInvisibleJson(row) : cells.join('  '));
  }
}
