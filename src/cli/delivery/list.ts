import { setTimeout as delay } from 'node:timers/promises';
import { type Io, say } from '../../lib/io.ts';
import { escapeInvisibleJson, escapeInvisibleLine, shorten } from '../../lib/text/escape-invisible.ts';
import type { Services } from '../../services.ts';
import { DELIVERY_STATUSES, type DeliveryStatus } from '../../types.ts';
import { type DeliveryView, deliveryView } from '../../views.ts';
import type { CliCommand } from '../kit/command.ts';
import { type ListColumn, type ListFlags, listCommand } from '../kit/list.ts';
import { oneOf } from '../kit/options.ts';
import { localTime } from '../kit/print.ts';
import { webhookNames } from '../kit/stored.ts';
import { below, state, time, whole } from '../kit/table.ts';

interface DeliveryFlags extends ListFlags {
  readonly status?: DeliveryStatus;
  readonly webhook?: string;
}

const POLL_MS = 200;
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
  listCommand(command, runner, {
    list: 'deliveries',
    nouns: ['delivery', 'deliveries'],
    names: (app, { webhook }: DeliveryFlags) => [
      { noun: 'webhook', value: webhook, known: webhookNames(app) },
    ],
    find: (store, id) => store.delivery(id),
    filter: (flags) => flags,
    rows: (store, filter) => store.deliveries(filter).map(deliveryView),
    total: (store) => store.countsByWebhook().reduce((sum, row) => sum + row.total, 0),
    columns: () => COLUMNS,
    follow,
    json: 'print an array; with --follow one object on each line',
  }).examples('hookctl delivery list --status rejected', 'hookctl delivery list -f --json | jq .reason');
};

/** Prints new deliveries, oldest first, until a signal. */
async function follow(app: Services, flags: DeliveryFlags, start: readonly DeliveryView[]): Promise<0> {
  let ended = false;
  void app.signals.next().then(() => {
    ended = true;
  });
  printLines(app.io, start.toReversed(), flags);
  for (let last = start[0]?.id ?? ''; !ended; await delay(POLL_MS)) {
    const fresh = (app.reader()?.deliveries({ ...flags, after: last }) ?? []).map(deliveryView);
    printLines(app.io, fresh, flags);
    last = fresh.at(-1)?.id ?? last;
  }
  return 0;
}

function printLines({ out }: Io, rows: readonly DeliveryView[], { json }: DeliveryFlags): void {
  for (const row of rows) {
    const cells = COLUMNS.map(([, text]) => escapeInvisibleLine(text(row)));
    say(out, json === true ? escapeInvisibleJson(row) : cells.join('  '));
  }
}
