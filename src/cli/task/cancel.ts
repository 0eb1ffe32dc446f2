import { usageError } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';
import type { Task, TaskStatus } from '../../types.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { managementCall } from '../kit/operate.ts';
import { oneOf } from '../kit/options.ts';
import { countedNoun, printJson } from '../kit/print.ts';
import { confirmed } from '../kit/prompts.ts';
import { agentNames, requireKnown, sayNoRows } from '../kit/stored.ts';
import { changeTask, postReport } from './change.ts';

interface CancelFlags extends JsonFlags {
  readonly status?: TaskStatus;
  readonly agent?: string;
  readonly flow?: string;
  readonly reason?: string;
  readonly yes?: boolean;
}

/** The statuses of open tasks. */
const OPEN = ['waiting_approval', 'queued', 'running', 'waiting_answer'] as const;

export const configureCancel: CliCommand = (command, runner) => {
  command
    .description('Cancel an open task, or all open tasks that the filters select; stops their runs.')
    .argument('[id]', 'task id')
    .addOption(oneOf('--status <status>', 'all in this status', OPEN))
    .option('--agent <name>', 'all of this agent')
    .option('--flow <id>', 'all of this flow')
    .option('--reason <text>', 'why, for its history')
    .option('-y, --yes', 'with filters: do not ask')
    .option('--json', 'print one object, with filters an array')
    .examples(
      'hookctl task cancel task-01jd9x3k2a7f3kq2 --reason "done by hand"',
      'hookctl task cancel --status queued --agent planning',
    )
    .action(
      runner.action(command, (app, id: string | undefined, flags: CancelFlags) =>
        cancel(app, id, flags, runner.argv),
      ),
    );
};

async function cancel(
  app: Services,
  id: string | undefined,
  flags: CancelFlags,
  argv: readonly string[],
): Promise<0> {
  const { status, agent, flow, reason, json } = flags;
  const isFiltered = [status, agent, flow].some((filter) => filter !== undefined);
  if (id !== undefined && isFiltered) {
    throw usageError('an id and filters exclude each other', 'Give an id, or filters.');
  }
  if (id !== undefined) return changeTask(app, id, 'cancel', { json, error: reason ?? null });
  if (!isFiltered) {
    throw usageError(
      'no task to cancel is given',
      'Name a task, or select with --status, --agent or --flow.',
    );
  }
  return cancelMany(app, flags, argv);
}

async function cancelMany(app: Services, flags: CancelFlags, argv: readonly string[]): Promise<0> {
  const { status, agent, flow, reason = null, json } = flags;
  await requireKnown({ noun: 'agent', value: agent, known: agentNames(app) });
  const selected = selectedTasks(app, flags);
  if (selected.length === 0) {
    const filters = { '--status': status, '--agent': agent, '--flow': flow };
    sayNoRows(app, { nouns: ['open task', 'open tasks'], filters });
    if (json === true) printJson(app.io, []);
    return 0;
  }
  const what = countedNoun(selected.length, 'task');
  const would = `this would cancel ${what}`;
  const question = `Cancel ${what}?`;
  const nothing = 'nothing was cancelled';
  if (!(await confirmed(app, { yes: flags.yes, question, would, nothing, argv }))) return 0;
  const call = await managementCall(app, 'task cancel');
  const views = [];
  for (const { id } of selected) views.push(await postReport(call, id, 'cancel', { error: reason }));
  if (json === true) printJson(app.io, views);
  else say(app.io.out, `cancelled ${countedNoun(views.length, 'task')}`);
  return 0;
}

function selectedTasks(app: Services, { status, agent, flow }: CancelFlags): readonly Task[] {
  const filter = {
    open: true as const,
    ...(status !== undefined && { status }),
    ...(agent !== undefined && { agent }),
    ...(flow !== undefined && { flowId: flow }),
  };
  const reader = app.reader();
  return reader === null ? [] : reader.tasks({ ...filter, limit: reader.count('tasks', filter) });
}
