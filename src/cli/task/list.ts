import { type ListedTask, listedTasks } from '../../task-views.ts';
import { TASK_STATUSES, type TaskStatus } from '../../types.ts';
import type { CliCommand } from '../kit/command.ts';
import { flowName, type ListColumn, type ListFlags, listCommand } from '../kit/list.ts';
import { oneOf, type SearchFlags, searchFilter, searchOptions } from '../kit/options.ts';
import { localTime } from '../kit/print.ts';
import { agentNames } from '../kit/stored.ts';
import { below, state, time, whole } from '../kit/table.ts';

interface TaskFlags extends ListFlags, SearchFlags {
  readonly status?: TaskStatus;
  readonly agent?: string;
  readonly flow?: string;
  readonly delivery?: string;
}

type Row = ListedTask;

const COLUMNS: readonly ListColumn<Row>[] = [
  [whole('id'), ({ id }) => id],
  [time('created'), ({ created_at: at }) => localTime(at)],
  [state('status'), statusOf],
  ['agent', ({ agent }) => agent],
  ['about', ({ external_id: id }) => id],
  ['title', ({ title }) => title],
];
const WAITS: ListColumn<Row> = [below('waits because'), ({ run }) => run?.reason ?? ''];

export const configureList: CliCommand = (command, runner) => {
  command
    .description('List tasks, newest first.')
    .addOption(oneOf('--status <status>', 'only those in this status', TASK_STATUSES))
    .option('--agent <name>', 'only those of this agent')
    .option('--flow <id>', 'only those of this flow')
    .option('--delivery <id>', 'only those of this delivery');
  searchOptions(command, { text: 'only with this in title, prompt, result or error' });
  listCommand(command, runner, {
    list: 'tasks',
    nouns: ['task', 'tasks'],
    names: (app, { agent, flow, delivery = '' }: TaskFlags) => [
      { noun: 'agent', value: agent, known: agentNames(app) },
      flowName(app, flow),
      {
        noun: 'delivery',
        value: delivery || undefined,
        known: [() => (app.reader()?.delivery(delivery) ? [delivery] : [])],
      },
    ],
    find: (store, id) => store.task(id),
    filter: async ({ limit, before, status, agent, flow, delivery, ...search }, { clock }) => ({
      ...(await searchFilter(search, clock.now())),
      limit,
      ...(before !== undefined && { before }),
      ...(status !== undefined && { status }),
      ...(agent !== undefined && { agent }),
      ...(flow !== undefined && { flowId: flow }),
      ...(delivery !== undefined && { deliveryId: delivery }),
    }),
    rows: (store, filter) => listedTasks(store, store.tasks(filter)),
    total: (store) => Object.values(store.countsByTaskStatus()).reduce((sum, count) => sum + count, 0),
    columns: (rows) => (rows.some(({ run }) => run?.reason != null) ? [...COLUMNS, WAITS] : COLUMNS),
  }).examples('hookctl task list --status waiting_approval', 'hookctl task list --json | jq -r ".[].id"');
};

function statusOf({ status, run, sample }: Row): string {
  const marks = [...(run?.state === 'held' ? ['held'] : []), ...(sample ? ['sample'] : [])];
  return marks.length === 0 ? status : `${status} (${marks.join(', ')})`;
}
