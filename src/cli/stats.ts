import { isRemote } from '../config/project/locate.ts';
import { usageError } from '../errors.ts';
import { camelKeys } from '../lib/case.ts';
import { say } from '../lib/io.ts';
import { milliseconds, timeSpan } from '../lib/units.ts';
import type { Services } from '../services.ts';
import { MOST_STEPS, STATS_BY, type Stat, type StatsFilter } from '../store/stats.ts';
import { type StatsView, statsView } from '../task-views.ts';
import { iso } from '../views.ts';
import type { CliCommand, JsonFlags } from './kit/command.ts';
import { moment } from './kit/moment.ts';
import { oneOf } from './kit/options.ts';
import { counted, printJson } from './kit/print.ts';
import { remoteView } from './kit/remote.ts';
import { ownerName, requireKnown, sayNoRows } from './kit/stored.ts';
import { table, whole } from './kit/table.ts';

interface StatsFlags extends JsonFlags {
  readonly by: (typeof STATS_BY)[number];
  readonly since: string;
  readonly every?: string;
  readonly webhook?: string;
  readonly owner?: string;
}

export const configureStats: CliCommand = (command, runner) => {
  command
    .description('Show rates, success, times and cost by webhook, command, agent, owner or variant.')
    .addOption(
      oneOf('--by <what>', 'group by webhook, command, agent, owner or variant', STATS_BY).default('webhook'),
    )
    .option('--since <time>', 'from when on: an age (2h, 7d) or a date', '7d')
    .option('--every <span>', 'one row for each span of time, such as 1h or 24h; default: one for all')
    .option('--webhook <name>', 'only of this webhook')
    .option('--owner <name>', 'only what belongs to this owner')
    .option('--json', 'print an object')
    .examples('hookctl stats --by command --since 30d', 'hookctl stats --by agent --every 24h')
    .action(runner.action(command, stats));
};

async function stats(app: Services, flags: StatsFlags): Promise<0> {
  const { io, clock } = app;
  const { by, webhook, owner } = flags;
  await requireKnown(ownerName(app, owner));
  const until = clock.now();
  const since = moment('--since', flags.since, until);
  const stepMs = flags.every === undefined ? undefined : spanOf(flags.every, until - since);
  const filter = { by, since, until, webhook, owner, stepMs };
  const rows = (await remoteStats(app, filter)) ?? app.reader()?.stats(filter) ?? [];
  if (flags.json === true) {
    printJson(io, statsView(rows, filter));
    return 0;
  }
  if (rows.length === 0) {
    if (isRemote(app.env)) say(io.err, 'No deliveries or tasks.');
    else
      sayNoRows(app, {
        nouns: ['delivery or task', 'deliveries or tasks'],
        filters: { '--since': flags.since, '--webhook': webhook, '--owner': owner },
      });
    say(io.err, 'Samples of `hookctl trigger` do not count.');
    return 0;
  }
  const columns = [
    ...(stepMs === undefined ? [] : [whole('from')]),
    by,
    ...(by === 'agent' ? [] : ['deliveries', 'a day', 'settled in'].map(whole)),
    ...['tasks', 'completed', 'failed', 'cancelled', 'done in', '95 % in', 'cost'].map(whole),
  ];
  const days = (stepMs ?? until - since) / 86_400_000;
  const cells = (each: Stat) => [
    ...(stepMs === undefined ? [] : [new Date(each.at).toISOString().slice(0, 16).replace('T', ' ')]),
    each.name ?? '-',
    ...(each.deliveries === null
      ? []
      : [counted(each.deliveries), (each.deliveries / days).toFixed(1), time(each.settleMs)]),
    counted(each.tasks),
    share(each.completed, each),
    share(each.failed, each),
    counted(each.cancelled),
    time(each.taskMs),
    time(each.taskP95Ms),
    each.knownCosts === 0 ? '-' : `$${each.costUsd.toFixed(2)}`,
  ];
  say(io.out, await table(io.out, columns, rows.map(cells)));
  return 0;
}

async function remoteStats(app: Services, filter: StatsFilter): Promise<readonly Stat[] | null> {
  const { by, since, until, webhook, owner, stepMs } = filter;
  const query = new URLSearchParams({
    ...{ by, since: iso(since), until: iso(until) },
    ...(webhook !== undefined && { webhook }),
    ...(owner !== undefined && { owner }),
    ...(stepMs !== undefined && { step: String(Math.ceil(stepMs / 1_000)) }),
  });
  const view = await remoteView<StatsView>(app, `stats?${query}`);
  return view?.rows.map((row) => ({ ...camelKeys(row), at: Date.parse(row.at) })) ?? null;
}

function spanOf(text: string, all: number): number {
  const read = timeSpan.safeParse(text);
  if (!read.success) throw usageError(`--every ${text} is not a span of time`, 'Write 1h, 24h or 30m.');
  const span = milliseconds(read.data);
  if (all / span > MOST_STEPS)
    throw usageError(
      `--every ${text} makes more than ${counted(MOST_STEPS)} rows`,
      'Take a longer span, or a later --since.',
    );
  return span;
}

function share(part: number, { completed, failed }: Stat): string {
  const all = completed + failed;
  return all === 0 ? counted(part) : `${counted(part)} (${Math.round((part / all) * 100)} %)`;
}

function time(ms: number | null): string {
  if (ms === null) return '-';
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`;
}
