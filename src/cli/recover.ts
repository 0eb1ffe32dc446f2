import { say } from '../lib/io.ts';
import type { RecoveredView, SweepView } from '../server/recovery/view.ts';
import type { Services } from '../services.ts';
import { isoOrNull } from '../views.ts';
import type { CliCommand, JsonFlags } from './kit/command.ts';
import { moment } from './kit/moment.ts';
import { managementCall } from './kit/operate.ts';
import { localTime, printJson, warn } from './kit/print.ts';
import { sweepLine } from './kit/sweeps.ts';
import { below, table, time, whole } from './kit/table.ts';

interface RecoverFlags extends JsonFlags {
  readonly since?: string;
  readonly webhook?: string;
  readonly dryRun?: boolean;
}

export const configureRecover: CliCommand = (command, runner) => {
  command
    .description(
      'Read the logs of the connected senders and take in what never arrived. While a server with a tunnel runs, the sender sends it again and it is verified; else it is read from the log, and its tasks wait for approval. A running server does this by itself: at its start, after the tunnel was down, and every `recover.every`.',
    )
    .option('--since <time>', 'from when on: an age (3h, 2d) or a date; default: where the last look ended')
    .option('--webhook <name>', 'what is for this webhook alone')
    .option('--dry-run', 'only print what is missing')
    .option('--json', 'print { sweeps } as JSON')
    .examples(
      'hookctl recover',
      'hookctl recover --since 3h --dry-run',
      'hookctl recover --webhook github --since 2026-01-31',
    )
    .action(runner.action(command, recover));
};

/** Exits with 1 when a log could not be read, or something of it could not be taken in. */
async function recover(
  app: Services,
  { since, webhook, dryRun = false, json = false }: RecoverFlags,
): Promise<0 | 1> {
  const from = since === undefined ? null : moment('--since', since, app.clock.now());
  const call = await managementCall(app, 'recover');
  const { sweeps } = await call<RecoveredView>({
    method: 'POST',
    path: '/api/recover',
    body: { since: isoOrNull(from), webhook: webhook ?? null, dry_run: dryRun },
  });
  if (json) printJson(app.io, { sweeps });
  else for (const sweep of sweeps) await print(app, sweep);
  return sweeps.every(({ problem }) => problem === null) ? 0 : 1;
}

async function print({ io }: Services, sweep: SweepView): Promise<void> {
  if (sweep.problem === null) say(io.out, sweepLine(sweep));
  else warn(io, sweepLine(sweep));
  if (!sweep.dry_run || sweep.lost.length === 0) return;
  const rows = sweep.lost.map(({ delivery_id, event_type, sent_at }) => [
    localTime(sent_at),
    event_type ?? '-',
    delivery_id,
  ]);
  say(io.out, await table(io.out, [time('sent'), below('event'), whole('id')], rows));
}
