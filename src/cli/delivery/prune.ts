import type { PruneOptions } from '../../deliveries/retention.ts';
import { say } from '../../lib/io.ts';
import type { PrunedView } from '../../server/api/deliveries.ts';
import type { Services } from '../../services.ts';
import { isoOrNull } from '../../views.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { moment } from '../kit/moment.ts';
import { managementCall } from '../kit/operate.ts';
import { bytes, countedNoun, printJson } from '../kit/print.ts';

type PruneLimits = Pick<PruneOptions, 'before' | 'samples' | 'size'>;

interface PruneFlags extends JsonFlags {
  readonly before?: string;
  readonly samples?: boolean;
  readonly dryRun?: boolean;
}

export const configurePrune: CliCommand = (command, runner) => {
  command
    .description(
      'Remove the bodies of processed deliveries. Pending deliveries and those with unsent replies keep theirs; the records stay.',
    )
    .option(
      '--before <time>',
      'only deliveries received before: an age (30d, 12h) or a date; default: age and size in `retention` of webhooks.yml',
    )
    .option('--samples', 'only samples from `hookctl trigger`, of any age')
    .option('--dry-run', 'only print what would be removed')
    .option('--json', 'print { deliveries, bytes, freed_bytes } as JSON')
    .examples(
      'hookctl delivery prune',
      'hookctl delivery prune --before 7d --dry-run',
      'hookctl delivery prune --samples',
      'hookctl delivery prune --before 2026-01-31',
    )
    .action(runner.action(command, prune));
};

async function prune(
  app: Services,
  { before, samples = false, dryRun = false, json = false }: PruneFlags,
): Promise<0> {
  const limits = before !== undefined || samples ? asTyped(app, before, samples) : await configured(app);
  const pruned = dryRun
    ? wouldGo(app, limits)
    : await (await managementCall(app, 'delivery prune'))<PrunedView>({
        method: 'POST',
        path: '/api/deliveries/prune',
        body: { ...limits, before: isoOrNull(limits.before) },
      });
  if (json) printJson(app.io, pruned);
  else {
    const { deliveries, bytes: received, freed_bytes: freed } = pruned;
    const what = `${countedNoun(deliveries, 'delivery', 'deliveries')} (${bytes(received)})`;
    if (dryRun) say(app.io.out, `The bytes of ${what} would be removed.`);
    else say(app.io.out, `Removed the bytes of ${what}; the disk got ${bytes(freed)} back.`);
  }
  return 0;
}

function asTyped({ clock }: Services, before: string | undefined, samples: boolean): PruneLimits {
  const limit = before === undefined ? null : moment('--before', before, clock.now());
  return { before: limit, samples, size: null };
}

/** The limits by which a server prunes. */
async function configured(app: Services): Promise<PruneLimits> {
  const { age, size } = (await app.configuration()).project.retention;
  return { before: app.clock.now() - age, size };
}

/**
 * By age: what goes because of the size depends, as what the disk would get back, on what is in the same segments of
 * the log.
 */
function wouldGo(app: Services, { size, ...filter }: PruneLimits): PrunedView {
  const reader = app.reader();
  const { count = 0, bytes: received = 0 } = reader?.countPrunable(filter) ?? {};
  const log = reader?.logBytes() ?? 0;
  if (size !== null && log > size)
    say(app.io.err, `The log has ${bytes(log)}; beyond ${bytes(size)} the oldest go as well.`);
  return { deliveries: count, bytes: received, freed_bytes: 0 };
}
