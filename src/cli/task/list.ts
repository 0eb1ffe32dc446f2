import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';
import { listedTasks } from '../../task-views.ts';
import { TASK_STATUSES, type TaskStatus } from '../../types.ts';
import { type CliCommand, examples, type JsonFlags } from '../kit/command.ts';
import { agentNames, requireBefore, requireKnown, sayNextPage, sayNoRows } from '../kit/list.ts';
import { oneOf, positive } from '../kit/options.ts';
import { localTime, printJson } from '../kit/print.ts';
import { below, state, table, time, whole } from '../kit/table.ts';

interface ListFlags extends JsonFlags {
  readonly status?: TaskStatus;
  readonly agent?: string;
  readonly flow?: string;
  readonly delivery?: string;
  readonly limit: number;
  readonly before?: string;
}

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List tasks, newest first.')
    .addOption(oneOf('--status <status>', 'only those in this status', TASK_STATUSES))
    .option('--agent <name>', 'only those of this agent')
    .option('--flow <id>', 'only those of this flow')
    .option('--delivery <id>', 'only those that came of this delivery')
    .option('--limit <n>', 'how many at most', positive, 50)
    .option('--before <id>', 'only older ones than this: the next page')
    .option('--json', 'print an array')
    .addHelpText(
      'after',
      examples('hookctl task list --status waiting_approval', 'hookctl task list --json | jq -r ".[].id"'),
    )
    .action((flags: ListFlags) =>
      runner.run(command.optsWithGlobals(), (app) => list(app, flags, runner.argv)),
    );
};

function statusOf({ status, run, sample }: ReturnType<typeof listedTasks>[number]): string {
  const marks = [...(run?.state === 'held' ? ['held'] : []), ...(sample ? ['sample'] : [])];
  return marks.length === 0 ? status : `${status} (${marks.join(', ')})`;
}

async function list(
  app: Services,
  { flow, delivery, json, ...page }: ListFlags,
  argv: readonly string[],
): Promise<0> {
  const filter = { ...page, ...(flow && { flowId: flow }), ...(delivery && { deliveryId: delivery }) };
  const reader = app.reader();
  await requireKnown(
    { noun: 'agent', value: page.agent, known: agentNames(app) },
    {
      noun: 'flow',
      value: flow,
      known: [() => (reader?.flows({ id: flow ?? '' }) ?? []).map(({ id }) => id)],
    },
    {
      noun: 'delivery',
      value: delivery,
      known: [() => (reader?.delivery(delivery ?? '') ? [delivery ?? ''] : [])],
    },
  );
  requireBefore(app, page.before, (id) => reader?.task(id));
  const views = reader === null ? [] : listedTasks(reader, reader.tasks(filter));
  if (json === true) printJson(app.io, views);
  else if (views.length === 0) {
    const { status, agent, before } = page;
    const total = Object.values(reader?.countsByTaskStatus() ?? {}).reduce((sum, count) => sum + count, 0);
    const filters = {
      '--status': status,
      '--agent': agent,
      '--flow': flow,
      '--delivery': delivery,
      '--before': before,
    };
    sayNoRows(app, { nouns: ['task', 'tasks'], filters, total });
  } else {
    const waits = views.some(({ run }) => run?.reason != null) ? [below('waits because')] : [];
    const rows = views.map((view) => [
      view.id,
      localTime(view.created_at),
      statusOf(view),
      view.agent,
      view.external_id,
      view.title,
      ...waits.map(() => view.run?.reason ?? ''),
    ]);
    say(
      app.io.out,
      table(
        app.io.out,
        [whole('id'), time('created'), state('status'), 'agent', 'about', 'title', ...waits],
        rows,
      ),
    );
  }
  sayNextPage(app, { list: 'tasks', filter: filter, shown: views.length, last: views.at(-1)?.id, argv });
  return 0;
}
