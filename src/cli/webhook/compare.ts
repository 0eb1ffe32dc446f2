import { findWebhook } from '../../config/dynamic/find.ts';
import { type Comparison, compareVariants } from '../../deliveries/variants/compare.ts';
import { commandsOut, say } from '../../lib/io.ts';
import { comparisonView } from '../../server/dashboard/comparison.ts';
import type { Services } from '../../services.ts';
import type { Webhook } from '../../types.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { moment } from '../kit/moment.ts';
import { counted, countedNoun, printJson } from '../kit/print.ts';
import { storedReader } from '../kit/stored.ts';
import { table, whole } from '../kit/table.ts';
import { sayUnloaded } from '../kit/webhooks.ts';
import { printDifferences } from './differences.ts';

interface CompareFlags extends JsonFlags {
  readonly since: string;
}

export const configureCompare: CliCommand = (command, runner) => {
  command
    .description('Compare the variants of a webhook, and what is in shadow with what acts.')
    .argument('<webhook>', 'id or name')
    .option('--since <time>', 'from when on: an age (2h, 7d) or a date', '30d')
    .option('--json', 'print one object')
    .examples('hookctl webhook compare github --since 14d', 'hookctl webhook compare github --json')
    .action(runner.action(command, compare));
};

async function compare(app: Services, ref: string, flags: CompareFlags): Promise<0> {
  const since = moment('--since', flags.since, app.clock.now());
  const { snapshot, unloaded } = await app.configuration();
  sayUnloaded(app, unloaded);
  const webhook = findWebhook(snapshot.webhooks, ref);
  const comparison = compareVariants(storedReader(app, `delivery to ${webhook.name}`), webhook, since);
  if (flags.json === true) printJson(app.io, comparisonView(webhook.name, since, comparison));
  else await print(app, webhook, flags.since, comparison);
  return 0;
}

async function print(app: Services, webhook: Webhook, since: string, comparison: Comparison): Promise<void> {
  const { variants, statements, shadows, differences } = comparison;
  const out = commandsOut(app.io);
  if (variants.length + shadows.length === 0) {
    const isTold = webhook.mode === 'shadow' || webhook.variants.length > 0;
    const hint = isTold ? '' : ': give it `variants` or `mode: shadow`';
    say(app.io.err, `No variant decided about a delivery of ${webhook.name} since ${since}${hint}.`);
    return;
  }
  if (variants.length > 0) {
    const titles = ['deliveries', 'fired', 'tasks', 'completed', 'failed', 'cost', 'median time'];
    const columns = ['variant', ...[...titles, 'replies edited', 'approvals refused'].map(whole)];
    const rows = variants.map((each) => [
      each.name,
      ...[each.deliveries, each.fired, each.tasks, each.completed, each.failed].map(counted),
      each.knownCosts === 0 ? '-' : `$${each.costUsd.toFixed(2)}`,
      each.durationMs === null ? '-' : `${Math.round(each.durationMs / 1_000)} s`,
      ...[each.repliesEdited, each.approvalsRefused].map(counted),
    ]);
    say(out, await table(out, columns, rows));
  }
  for (const statement of statements) say(out, statement);
  if (shadows.length > 0) say(out, '');
  await printDifferences(app.io, differences, ['did', 'would']);
  for (const { name, deliveries, differing } of shadows)
    say(
      out,
      `in shadow, ${name ?? webhook.name} decided about ${countedNoun(deliveries, 'delivery', 'deliveries')}: ${counted(differing)} would differ`,
    );
}
