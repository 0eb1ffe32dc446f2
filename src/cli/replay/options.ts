import { usageError } from '../../errors.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import type { Services } from '../../services.ts';
import type { DeliverySelection } from '../../store/selection.ts';
import type { DeliveryStatus } from '../../types.ts';
import type { Command, JsonFlags } from '../kit/command.ts';
import { moment } from '../kit/moment.ts';
import { collectFrom, positive } from '../kit/options.ts';
import type { FileHints } from './file.ts';

export interface ReplayFlags extends JsonFlags, FileHints {
  readonly since?: string;
  readonly until?: string;
  readonly status: readonly DeliveryStatus[];
  readonly after?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly replies?: boolean;
  readonly to?: string;
  readonly concurrency?: number;
  readonly resign?: boolean;
}

/** Pending deliveries run anyway; rejected ones keep no body. */
const REPLAYABLE = ['processed', 'ignored', 'failed', 'unparsed'] as const;
/** Without `unparsed`: it can be sent elsewhere with `--to`, but only when named. */
const USUAL: readonly DeliveryStatus[] = ['processed', 'ignored', 'failed'];

/** The options that describe a file without headers. */
export function fileOptions(
  command: Command,
  webhook = 'webhook that processes it (default: the provider’s own)',
): Command {
  return command
    .option('--provider <name>', 'provider that sent the body of a file')
    .option('--event <type>', 'event type of the body of a file, e.g. issue_comment.created')
    .option('--webhook <name>', webhook);
}

/** The options of `replay`, where `--webhook` is also a filter. */
export function replayOptions(command: Command): Command {
  return fileOptions(command, 'all of this webhook; for a file: the webhook that processes it')
    .option('--since <time>', 'all received since: 2h, 7d, 2026-01-31, 2026-01-31T12:00:00Z')
    .option('--until <time>', 'all received until this time')
    .option(
      '--status <status>',
      `all in this status: ${REPLAYABLE.join(', ')} (repeatable)`,
      collectFrom(REPLAYABLE),
      [],
    )
    .option('--after <id>', 'only the selected ones after this delivery, to continue after a stop')
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'only print what would happen')
    .option('--replies', 'also post the replies; by default a replay posts none')
    .option('--to <url>', 'post the stored headers and bodies to this URL instead')
    .option('--concurrency <n>', 'with --to: requests at once; 1 keeps their order (default: 10)', positive)
    .option('--resign', 'with --to: sign again with the webhook’s secret')
    .option('--json', 'print the results: an array; with filters or --to one object on each line');
}

/** Throws `usage` when options exclude each other, or exclude sources. */
export function checkFlags(sources: readonly string[], flags: ReplayFlags): void {
  const { since, until, after, status, webhook, to, concurrency, resign, replies } = flags;
  const onlySelects = [since, until, after].some((it) => it !== undefined) || status.length > 0;
  if (sources.length > 0 && onlySelects) {
    throw usageError(
      '--since, --until, --status and --after exclude ids and files',
      'Give ids or files, or filters.',
    );
  }
  if (sources.length === 0 && !onlySelects && webhook === undefined) {
    throw usageError(
      'no deliveries to replay are given',
      'Name ids or files, or select with --since, --until, --status or --webhook.',
    );
  }
  if (to === undefined && (concurrency !== undefined || resign === true)) {
    throw usageError('--concurrency and --resign belong to --to <url>');
  }
  if (to !== undefined && replies === true) {
    throw usageError('--replies has no effect with --to: nothing runs here');
  }
}

/** The selection of the filters: neither later deliveries nor replays. */
export function selectionOf({ clock }: Services, flags: ReplayFlags): DeliverySelection {
  const now = clock.now();
  const { webhook, since, until, after, status } = flags;
  return {
    statuses: status.length > 0 ? status : USUAL,
    until: until === undefined ? now : moment('--until', until, now),
    ...(webhook !== undefined && { webhook }),
    ...(since !== undefined && { since: moment('--since', since, now) }),
    ...(after !== undefined && { after }),
  };
}

/** The command line that continues a selection after a delivery. */
export function goOnWith({ statuses, webhook, since, until }: DeliverySelection, flags: ReplayFlags): string {
  const iso = (ms: number) => new Date(ms).toISOString();
  const words = [
    ...(since === undefined ? [] : ['--since', iso(since)]),
    ...['--until', iso(until)],
    ...statuses.flatMap((status) => ['--status', status]),
    ...(webhook === undefined ? [] : ['--webhook', webhook]),
    ...(flags.replies === true ? ['--replies'] : []),
    ...(flags.to === undefined ? [] : ['--to', flags.to]),
    ...(flags.resign === true ? ['--resign'] : []),
  ];
  return `${commandLine('hookctl', 'replay', ...words)} --after`;
}
