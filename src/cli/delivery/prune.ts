import type { Command } from 'commander';
import type { App, AppFlags } from '../../app.ts';
import { say } from '../../lib/io.ts';
import type { PrunedView } from '../../server/operations.ts';
import { examples, type Runner } from '../command.ts';
import { moment } from '../moment.ts';
import { operations } from '../operate.ts';
import { bytes, printJson } from '../print.ts';

interface PruneFlags extends AppFlags {
  readonly before: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function configurePrune(command: Command, runner: Runner): void {
  command
    .description(
      'Remove the bytes of deliveries that were worked off. What is pending or still has a reply to send stays, and so do the rows, which say what happened.',
    )
    .requiredOption('--before <time>', 'only what came before: how long ago (30d, 12h), or a date')
    .option('--dry-run', 'only say what would go')
    .option('--json', 'print { deliveries, bytes, freed_bytes } as JSON')
    .addHelpText(
      'after',
      examples('hookctl delivery prune --before 7d --dry-run', 'hookctl delivery prune --before 2026-01-31'),
    )
    .action((flags: PruneFlags) => runner.run(command.optsWithGlobals(), (app) => prune(app, flags)));
}

async function prune(app: App, { before, dryRun = false, json = false }: PruneFlags): Promise<0> {
  const at = moment('--before', before, app.clock.now());
  const pruned = dryRun ? wouldGo(app, at) : await (await operations(app, 'delivery prune')).prune(at);
  if (json) printJson(app.io, pruned);
  else {
    const { deliveries, bytes: received, freed_bytes: freed } = pruned;
    const what = `${deliveries} ${deliveries === 1 ? 'delivery' : 'deliveries'} (${bytes(received)})`;
    if (dryRun) say(app.io.out, `The bytes of ${what} would be removed.`);
    else say(app.io.out, `Removed the bytes of ${what}; the disk got ${bytes(freed)} back.`);
  }
  return 0;
}

/** What the disk would get back depends on what else stands in the same segments of the log. */
function wouldGo(app: App, before: number): PrunedView {
  const { count = 0, bytes: received = 0 } = app.reader()?.countPrunable(before) ?? {};
  return { deliveries: count, bytes: received, freed_bytes: 0 };
}
