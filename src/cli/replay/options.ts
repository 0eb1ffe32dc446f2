import type { Command } from 'commander';
import { usageError } from '../../errors.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import type { Services } from '../../services.ts';
import type { DeliverySelection } from '../../store/selection.ts';
import type { DeliveryStatus } from '../../types.ts';
import type { JsonFlags } from '../kit/command.ts';
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

/** Those that are pending run anyway; of those that were refused no bytes are kept. */
const REPLAYABLE = ['processed', 'ignored', 'failed', 'unparsed'] as const;
/** What does not parse can be sent elsewhere; to replay it is asked for by name. */
const USUAL: readonly DeliveryStatus[] = ['processed', 'ignored', 'failed'];

/** The options by which a bare body says what it is. */
export function fileOptions(
  command: Command,
  webhook = 'webhook to run it in, if not the provider’s own',
): Command {
  return command
    .option('--provider <name>', 'who sent the body of a file')
    .option('--event <type>', 'what the body of a file is, e.g. issue_comment.created')
    .option('--webhook <name>', webhook);
}

/** The options of `replay`; `--webhook` also selects. */
export function replayOptions(command: Command): Command {
  return fileOptions(command, 'all of this webhook; with a file: the webhook to run it in')
    .option('--since <time>', 'all received since then: 2h, 7d, 2026-01-31, 2026-01-31T12:00:00Z')
    .option('--until <time>', 'all received until then')
    .option(
      '--status <status>',
      `all in this status: ${REPLAYABLE.join(', ')} (repeatable)`,
      collectFrom(REPLAYABLE),
      [],
    )
    .option(
      '--after <id>',
      'of those that are selected only the ones behind this delivery: go on after a stop',
    )
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'say what would happen, and do nothing')
    .option('--replies', 'also post what the commands answer; a replay is silent otherwise')
    .option('--to <url>', 'post the kept bytes and headers there, in place of running them here')
    .option('--concurrency <n>', 'with --to: requests at once; 1 keeps their order (default: 10)', positive)
    .option('--resign', 'with --to: sign anew with the webhook’s secret')
    .option('--json', 'print what became of each: an array, with filters and --to one object on each line');
}

/** Throws `usage` where options contradict each other or the sources. */
export function checkFlags(sources: readonly string[], flags: ReplayFlags): void {
  const { since, until, after, status, webhook, to, concurrency, resign, replies } = flags;
  const onlySelects = [since, until, after].some((it) => it !== undefined) || status.length > 0;
  if (sources.length > 0 && onlySelects) {
    throw usageError(
      '--since, --until, --status and --after select deliveries, but some are named already',
      'Give ids or files, or filters.',
    );
  }
  if (sources.length === 0 && !onlySelects && webhook === undefined) {
    throw usageError(
      'nothing says what to replay',
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

/** What the filters select. What comes in from now on does not belong to it, nor do replays. */
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

/** The command line that goes on with a selection behind a delivery. */
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
