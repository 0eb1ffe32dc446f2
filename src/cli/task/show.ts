import type { Command } from 'commander';
import { notFound } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { indented } from '../../lib/text/escape-invisible.ts';
import type { ServiceFlags, Services } from '../../services.ts';
import { type TaskDetails, taskWithRuns } from '../../task-views.ts';
import { examples, type Runner } from '../kit/command.ts';
import { costOf, facts, localTime, printJson, tookOf } from '../kit/print.ts';
import { storedReader } from '../kit/stored.ts';
import { below, state, table, time } from '../kit/table.ts';
import { lastSaid, runText } from './runs.ts';

interface ShowFlags extends ServiceFlags {
  readonly json?: boolean;
}

export function configureShow(command: Command, runner: Runner): void {
  command
    .description('Show one task: where it came from, where it stands, what the agent is told, and its runs.')
    .argument('<id>', 'task id')
    .option('--json', 'print one object')
    .addHelpText('after', examples('hookctl task show task-01jd9x3k2a7f3kq2'))
    .action((id: string, flags: ShowFlags) =>
      runner.run(command.optsWithGlobals(), (app) => show(app, id, flags)),
    );
}

async function show(app: Services, id: string, { json }: ShowFlags): Promise<0> {
  const { io, located } = app;
  const found = app.reader()?.task(id) ?? null;
  if (found === null)
    throw notFound(`there is no task ${id} in ${located.dataFolder}`, 'List them with `hookctl task list`.');
  const store = storedReader(app, id);
  const view = taskWithRuns(store, found);
  if (json === true) {
    printJson(io, view);
    return 0;
  }
  say(
    io.out,
    facts([
      ['task', view.id],
      ['title', view.title],
      ['status', view.status],
      ['agent', view.agent],
      ['about', view.external_id],
      ['url', view.url],
      ['flow', view.flow_id],
      ['conversation', view.conversation_id],
      ['command', view.command === null ? null : `${view.command} of ${view.webhook}`],
      ['delivery', view.delivery_id],
      ['sample', view.sample ? 'made by `hookctl trigger`' : null],
      ['parent', view.parent_task_id],
      ['created', `${localTime(view.created_at)} by ${view.source}`],
      ['started', view.started_at === null ? null : localTime(view.started_at)],
      ['ended', view.completed_at === null ? null : localTime(view.completed_at)],
      ['took', tookOf(view)],
      ['cost', costOf(view)],
      ...view.waits_for.map(
        ({ id: other, status, title }) => ['waits for', `${other}  ${status}  ${title}`] as const,
      ),
      ['claude task', claudeTask(view.source_metadata)],
      ['not synced', view.unsynced],
    ]),
  );
  say(io.out, `\n${indented(view.prompt)}`);
  if (view.result !== null) say(io.out, `\n## Result\n\n${indented(view.result)}`);
  if (view.error !== null) say(io.out, `\n## Error\n\n${indented(view.error)}`);
  for (const run of view.runs) say(io.out, `\n${runText(run, await lastSaid(run))}`);
  const rows = view.transitions.map(({ at, event, to, actor, reason }) => [
    localTime(at),
    event,
    to,
    actor,
    reason ?? '',
  ]);
  say(io.out, `\n${table(io.out, [time('when'), 'what', state('status'), 'who', below('why')], rows)}`);
  if (view.status === 'waiting_approval') say(io.err, `Next: hookctl task approve ${view.id}`);
  return 0;
}

function claudeTask({
  claude_list: entry,
  claude_task_id: record,
}: TaskDetails['source_metadata']): string | null {
  const { list, number } = (entry ?? {}) as { list?: string; number?: number };
  const place = number === undefined ? null : `#${number} in list ${list}`;
  return (
    [place, record === undefined ? null : `record ${record}`].filter((part) => part !== null).join(', ') ||
    null
  );
}
