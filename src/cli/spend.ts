import { camelKeys } from '../lib/case.ts';
import { say } from '../lib/io.ts';
import type { Services } from '../services.ts';
import { SPEND_BY, type Spend } from '../store/runs.ts';
import { type SpendView, spendView, totalSpend } from '../task-views.ts';
import { iso } from '../views.ts';
import type { CliCommand, JsonFlags } from './kit/command.ts';
import { moment } from './kit/moment.ts';
import { oneOf } from './kit/options.ts';
import { counted, countedNoun, printJson } from './kit/print.ts';
import { remoteView } from './kit/remote.ts';
import { ownerName, requireKnown } from './kit/stored.ts';
import { table, whole } from './kit/table.ts';

interface SpendFlags extends JsonFlags {
  readonly by: (typeof SPEND_BY)[number];
  readonly since: string;
  readonly owner?: string;
}

export const configureSpend: CliCommand = (command, runner) => {
  command
    .description('Show what the runs of agents cost.')
    .addOption(oneOf('--by <whom>', 'add up by agent, webhook, person or owner', SPEND_BY).default('agent'))
    .option('--since <time>', 'runs that started since then, such as 7d or 2026-01-31', '7d')
    .option('--owner <name>', 'only runs for this owner')
    .option('--json', 'print an object')
    .examples('hookctl spend --by person --since 30d', 'hookctl spend --json | jq .total.cost_usd')
    .action(runner.action(command, spend));
};

async function spend(app: Services, { by, since, owner, json }: SpendFlags): Promise<0> {
  const { io } = app;
  await requireKnown(ownerName(app, owner));
  const from = moment('--since', since, app.clock.now());
  const query = new URLSearchParams({ by, since: iso(from), ...(owner !== undefined && { owner }) });
  const remote = await remoteView<SpendView>(app, `spend?${query}`);
  const rows = remote?.rows.map(camelKeys) ?? app.reader()?.spend(by, from, owner) ?? [];
  const total = totalSpend(rows);
  if (json === true) {
    printJson(io, spendView(rows, by, from));
    return 0;
  }
  if (rows.length === 0) {
    say(io.err, `no agent ran since ${since}`);
    return 0;
  }
  const cells = ({ name, runs, knownRuns, costUsd, reservedUsd, inputTokens, outputTokens }: Spend) => [
    name ?? '-',
    counted(runs),
    `$${costUsd.toFixed(2)}`,
    runs === knownRuns ? '-' : `${counted(runs - knownRuns)}, at most $${reservedUsd.toFixed(2)}`,
    counted(inputTokens),
    counted(outputTokens),
  ];
  const titles = [
    by,
    whole('runs'),
    whole('cost'),
    whole('of unknown cost'),
    whole('tokens in'),
    whole('out'),
  ];
  say(io.out, await table(io.out, titles, [...rows, ...(rows.length > 1 ? [total] : [])].map(cells)));
  if (total.knownRuns < total.runs) {
    const unknown = countedNoun(total.runs - total.knownRuns, 'run');
    say(
      io.err,
      `The cost of ${unknown} is unknown: set \`model\` of the agent and \`prices\` in webhooks.yml.`,
    );
  }
  return 0;
}
