import { say } from '../../lib/io.ts';
import { shorten } from '../../lib/text/escape-invisible.ts';
import type { Services } from '../../services.ts';
import { OUTGOING_STATUSES, type OutgoingStatus } from '../../types.ts';
import { type OutgoingView, outgoingView } from '../../views.ts';
import { type CliCommand, examples, type JsonFlags } from '../kit/command.ts';
import { requireBefore, sayNextPage, sayNoRows } from '../kit/list.ts';
import { oneOf, positive } from '../kit/options.ts';
import { localTime, printJson } from '../kit/print.ts';
import { below, state, table, time, whole } from '../kit/table.ts';

interface ListFlags extends JsonFlags {
  readonly status?: OutgoingStatus;
  readonly limit: number;
  readonly before?: string;
}

const CONTENT_LENGTH = 60;
const COLUMNS = [
  whole('id'),
  time('created'),
  whole('kind'),
  'to',
  state('status'),
  whole('tries'),
  below('reason'),
  below('content'),
];

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List what leaves, newest first.')
    .addOption(oneOf('--status <status>', 'only those in this status', OUTGOING_STATUSES))
    .option('--limit <n>', 'how many at most', positive, 50)
    .option('--before <id>', 'only older ones than this: the next page')
    .option('--json', 'print an array')
    .addHelpText('after', examples('hookctl outbox list --status failed'))
    .action((flags: ListFlags) =>
      runner.run(command.optsWithGlobals(), (app) => list(app, flags, runner.argv)),
    );
};

async function list(app: Services, flags: ListFlags, argv: readonly string[]): Promise<0> {
  const reader = app.reader();
  requireBefore(app, flags.before, (id) => reader?.outgoing(id));
  const rows = (reader?.outbox(flags) ?? []).map(outgoingView);
  if (flags.json === true) printJson(app.io, rows);
  else if (rows.length === 0) {
    const filters = { '--status': flags.status, '--before': flags.before };
    sayNoRows(app, { nouns: ['item', 'items of the outbox'], filters });
  } else say(app.io.out, table(app.io.out, COLUMNS, rows.map(cells)));
  sayNextPage(app, { list: 'outbox', filter: flags, shown: rows.length, last: rows.at(-1)?.id, argv });
  return 0;
}

function cells(row: OutgoingView): readonly string[] {
  return [
    row.id,
    localTime(row.created_at),
    row.kind,
    row.kind === 'forward' ? '-' : row.provider,
    row.status,
    String(row.attempts),
    row.reason ?? '-',
    shorten(row.content, CONTENT_LENGTH),
  ];
}
