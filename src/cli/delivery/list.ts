import { setTimeout as delay } from 'node:timers/promises';
import { type Io, say } from '../../lib/io.ts';
import { escapeInvisibleJson, escapeInvisibleLine, shorten } from '../../lib/text/escape-invisible.ts';
import type { Services } from '../../services.ts';
import { DELIVERY_STATUSES, type Delivery, type DeliveryStatus } from '../../types.ts';
import { deliveryView } from '../../views.ts';
import { type CliCommand, examples, type JsonFlags } from '../kit/command.ts';
import { requireBefore, requireKnown, sayNextPage, sayNoRows, webhookNames } from '../kit/list.ts';
import { oneOf, positive } from '../kit/options.ts';
import { localTime, printJson } from '../kit/print.ts';
import { below, state, table, time, whole } from '../kit/table.ts';

interface ListFlags extends JsonFlags {
  readonly status?: DeliveryStatus;
  readonly webhook?: string;
  readonly limit: number;
  readonly before?: string;
  readonly follow?: boolean;
}

const POLL_MS = 200;
const REASON_LENGTH = 100;
const COLUMNS = [
  whole('id'),
  time('received'),
  'webhook',
  'event',
  'sender',
  state('status'),
  below('reason'),
];

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List deliveries, newest first.')
    .addOption(oneOf('--status <status>', 'only those in this status', DELIVERY_STATUSES))
    .option('--webhook <name>', 'only those of this webhook')
    .option('--limit <n>', 'how many at most', positive, 50)
    .option('--before <id>', 'only older ones than this: the next page')
    .option('-f, --follow', 'go on with new ones as they come')
    .option('--json', 'print an array; with --follow one object on each line')
    .addHelpText(
      'after',
      examples('hookctl delivery list --status rejected', 'hookctl delivery list -f --json | jq .reason'),
    )
    .action((flags: ListFlags) =>
      runner.run(command.optsWithGlobals(), (app) => list(app, flags, runner.argv)),
    );
};

async function list(app: Services, flags: ListFlags, argv: readonly string[]): Promise<0> {
  const reader = app.reader();
  await requireKnown({ noun: 'webhook', value: flags.webhook, known: webhookNames(app) });
  requireBefore(app, flags.before, (id) => reader?.delivery(id));
  const rows = reader?.deliveries(flags) ?? [];
  if (flags.follow === true) return follow(app, flags, rows);
  if (flags.json === true) printJson(app.io, rows.map(deliveryView));
  else if (rows.length === 0) {
    const { status, webhook, before } = flags;
    const total = (reader?.countsByWebhook() ?? []).reduce((sum, row) => sum + row.total, 0);
    const filters = { '--status': status, '--webhook': webhook, '--before': before };
    sayNoRows(app, { nouns: ['delivery', 'deliveries'], filters, total });
  } else say(app.io.out, table(app.io.out, COLUMNS, rows.map(cells)));
  sayNextPage(app, { list: 'deliveries', filter: flags, shown: rows.length, last: rows.at(-1)?.id, argv });
  return 0;
}

/** Oldest first, as a log reads, until a signal ends it. */
async function follow(app: Services, flags: ListFlags, start: readonly Delivery[]): Promise<0> {
  let ended = false;
  void app.signals.next().then(() => {
    ended = true;
  });
  printLines(app.io, start.toReversed(), flags);
  for (let last = start[0]?.id ?? ''; !ended; await delay(POLL_MS)) {
    const fresh = app.reader()?.deliveries({ ...flags, after: last }) ?? [];
    printLines(app.io, fresh, flags);
    last = fresh.at(-1)?.id ?? last;
  }
  return 0;
}

function printLines({ out }: Io, rows: readonly Delivery[], { json }: ListFlags): void {
  for (const row of rows) {
    say(
      out,
      json === true ? escapeInvisibleJson(deliveryView(row)) : cells(row).map(escapeInvisibleLine).join('  '),
    );
  }
}

function cells(row: Delivery): readonly string[] {
  const { id, received_at, webhook, event_type, sender, status, reason, sample } = deliveryView(row);
  const marked = sample ? `${status} (sample)` : status;
  const why = shorten(reason ?? '', REASON_LENGTH);
  return [id, localTime(received_at), webhook, event_type ?? '-', sender ?? '-', marked, why];
}
