import { agedBodies } from '../../deliveries/retention.ts';
import { usageError } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import type { PrunedView } from '../../server/api/deliveries.ts';
import type { Services } from '../../services.ts';
import type { BodyFilter } from '../../store/selection.ts';
import { isoOrNull } from '../../views.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { moment } from '../kit/moment.ts';
import { managementCall } from '../kit/operate.ts';
import { bytes, countedNoun, printJson } from '../kit/print.ts';
import { ownerName, requireKnown } from '../kit/stored.ts';

interface PruneLimits {
  /** One after the other. */
  readonly filters: readonly BodyFilter[];
  readonly size: number | null;
}

interface PruneFlags extends JsonFlags {
  readonly before?: string;
  readonly samples?: boolean;
  readonly owner?: string;
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
    .option('--owner <name>', 'only deliveries of this owner; with --before or --samples')
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
  { before, samples = false, owner, dryRun = false, json = false }: PruneFlags,
): Promise<0> {
  await requireKnown(ownerName(app, owner));
  if (owner !== undefined && before === undefined && !samples)
    throw usageError(
      '--owner needs --before or --samples',
      `hookctl delivery prune --owner ${owner} --before 30d`,
    );
  const limits =
    before !== undefined || samples ? asTyped(app, before, samples, owner) : await configured(app);
  const pruned = dryRun ? wouldGo(app, limits) : await remove(app, limits);
  if (json) printJson(app.io, pruned);
  else {
    const { deliveries, bytes: received, freed_bytes: freed } = pruned;
    const what = `${countedNoun(deliveries, 'delivery', 'deliveries')} (${bytes(received)})`;
    if (dryRun) say(app.io.out, `The bytes of ${what} would be removed.`);
    else say(app.io.out, `Removed the bytes of ${what}; the disk got ${bytes(freed)} back.`);
  }
  return 0;
}

function asTyped(
  { clock }: Services,
  before: string | undefined,
  samples: boolean,
  owner: string | undefined,
): PruneLimits {
  const limit = before === undefined ? null : moment('--before', before, clock.now());
  return { filters: [{ before: limit, samples, ...(owner !== undefined && { owner }) }], size: null };
}

/** The limits by which a server prunes. */
async function configured(app: Services): Promise<PruneLimits> {
  const { retention, owners } = (await app.configuration()).project;
  return { filters: agedBodies({ ...retention, owners }, app.clock.now()), size: retention.size };
}

async function remove(app: Services, { filters, size }: PruneLimits): Promise<PrunedView> {
  const call = await managementCall(app, 'delivery prune');
  let sum: PrunedView = { deliveries: 0, bytes: 0, freed_bytes: 0 };
  for (const [at, { before, samples = false, owner, exceptOwners }] of filters.entries()) {
    const pruned = await call<PrunedView>({
      ...{ method: 'POST', path: '/api/deliveries/prune' },
      body: {
        ...{ before: isoOrNull(before), samples, owner, except_owners: exceptOwners },
        size: at === filters.length - 1 ? size : null,
      },
    });
    sum = added(sum, pruned);
  }
  return sum;
}

function added(one: PrunedView, other: PrunedView): PrunedView {
  return {
    deliveries: one.deliveries + other.deliveries,
    bytes: one.bytes + other.bytes,
    freed_bytes: one.freed_bytes + other.freed_bytes,
  };
}

/**
 * By age: what goes because of the size depends, as what the disk would get back, on what is in the same segments of
 * the log.
 */
function wouldGo(app: Services, { size, filters }: PruneLimits): PrunedView {
  const reader = app.reader();
  const log = reader?.logBytes() ?? 0;
  if (size !== null && log > size)
    say(app.io.err, `The log has ${bytes(log)}; beyond ${bytes(size)} the oldest go as well.`);
  const none = { deliveries: 0, bytes: 0, freed_bytes: 0 };
  return filters
    .map((filter) => reader?.countPrunable(filter) ?? { count: 0, bytes: 0 })
    .reduce((sum, each) => added(sum, { deliveries: each.count, bytes: each.bytes, freed_bytes: 0 }), none);
}
