import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';
import { type PrunedPart, type PrunedTasks, plannedPrune, type TaskPruneLimits } from '../../tasks/prune.ts';
import { isoOrNull } from '../../views.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { moment } from '../kit/moment.ts';
import { managementCall } from '../kit/operate.ts';
import { counted, countedNoun, localTime, printJson } from '../kit/print.ts';
import { confirmed } from '../kit/prompts.ts';

interface PruneFlags extends JsonFlags {
  readonly before?: string;
  readonly samples?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export const configurePrune: CliCommand = (command, runner) => {
  command
    .description(
      'Remove ended tasks with their history, runs, sent comments and entries in Claude’s list. A task is removed together with its subtasks, and only when nothing needs it. Deliveries stay, so that duplicates are still detected.',
    )
    .option(
      '--before <time>',
      'only tasks that ended before: an age (30d, 12h) or a date; default: the age in `retention` of webhooks.yml',
    )
    .option(
      '--samples',
      'only tasks of samples from `hookctl trigger`, of any age unless --before; open ones are cancelled',
    )
    .option('--dry-run', 'only print what would be removed')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print { tasks, cancelled, kept } as JSON')
    .examples(
      'hookctl task prune --before 90d --dry-run',
      'hookctl task prune --before 2026-01-31',
      'hookctl task prune --samples --yes',
    )
    .action(runner.action(command, (app, flags: PruneFlags) => prune(app, flags, runner.argv)));
};

async function prune(app: Services, flags: PruneFlags, argv: readonly string[]): Promise<0 | 1> {
  const { dryRun = false, json = false } = flags;
  const limits = await limitsOf(app, flags);
  const reader = app.reader();
  const planned = reader === null ? { tasks: 0, cancelled: 0, kept: [] } : plannedPrune(reader, limits);
  if (dryRun || planned.tasks === 0) {
    report(app, planned, limits, 'would be removed', json);
    return 0;
  }
  const what = countedNoun(planned.tasks, 'task');
  const open = planned.cancelled === 0 ? '' : `, ${counted(planned.cancelled)} of them open`;
  const would = `this would remove ${what}`;
  const question = `Remove ${what}${open}?`;
  const nothing = 'nothing was removed';
  if (!(await confirmed(app, { yes: flags.yes, question, would, nothing, argv }))) return 0;
  const pruned = await pruneAll(app, limits);
  report(app, pruned, limits, 'removed', json);
  return pruned.tasks < planned.tasks ? 1 : 0;
}

/** Calls until nothing is left, because one call stops after some seconds. */
async function pruneAll(app: Services, limits: TaskPruneLimits): Promise<PrunedTasks> {
  const call = await managementCall(app, 'task prune');
  const body = { ...limits, before: isoOrNull(limits.before) };
  for (let [removed, stopped] = [0, 0]; ; ) {
    const part = await call<PrunedPart>({ method: 'POST', path: '/api/tasks/prune', body });
    const { tasks, cancelled, kept, more } = part;
    removed += tasks;
    stopped += cancelled;
    if (!more) return { tasks: removed, cancelled: stopped, kept };
  }
}

async function limitsOf(app: Services, { before, samples = false }: PruneFlags): Promise<TaskPruneLimits> {
  const now = app.clock.now();
  if (before !== undefined) return { before: moment('--before', before, now), samples };
  if (samples) return { before: null, samples };
  return { before: now - (await app.configuration()).project.retention.age, samples };
}

function report(
  app: Services,
  pruned: PrunedTasks,
  { before, samples }: TaskPruneLimits,
  verb: 'removed' | 'would be removed',
  json: boolean,
): void {
  const { out, err } = app.io;
  const { tasks, cancelled, kept } = pruned;
  if (json) printJson(app.io, pruned);
  else if (tasks === 0) {
    const which = samples ? 'No tasks of samples' : 'No ended tasks';
    const since = before === null ? '' : ` before ${localTime(new Date(before).toISOString())}`;
    say(out, kept.length === 0 ? `${which}${since}.` : 'No task can be removed.');
  } else {
    const first = cancelled === 0 ? '' : `, ${counted(cancelled)} of them cancelled first`;
    say(out, `${countedNoun(tasks, 'task')} ${verb}${first}.`);
  }
  for (const { reason, tasks: count, first } of kept) {
    say(err, `${countedNoun(count, 'task')} ${count === 1 ? 'stays' : 'stay'}: ${reason}.`);
    say(err, `  ${count === 1 ? 'See it' : 'One of them'}: hookctl task show ${first}`);
  }
}
