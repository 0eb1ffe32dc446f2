import type { Command } from 'commander';
import type { App, AppFlags } from '../../app.ts';
import { notFound } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { visible } from '../../lib/visible.ts';
import { taskView } from '../../views.ts';
import { examples, type Runner } from '../command.ts';
import { facts, localTime, printJson } from '../print.ts';

interface ShowFlags extends AppFlags {
  readonly json?: boolean;
}

export function configureShow(command: Command, runner: Runner): void {
  command
    .description('Show one task: where it came from, where it stands, what the agent is told.')
    .argument('<id>', 'task id')
    .option('--json', 'print one object')
    .addHelpText('after', examples('hookctl task show task-01jd9x3k2a7f3kq2'))
    .action((id: string, flags: ShowFlags) =>
      runner.run(command.optsWithGlobals(), (app) => show(app, id, flags)),
    );
}

async function show(app: App, id: string, { json }: ShowFlags): Promise<0> {
  const { io, located } = app;
  const found = app.reader()?.task(id) ?? null;
  if (found === null)
    throw notFound(`there is no task ${id} in ${located.dataFolder}`, 'List them with `hookctl task list`.');
  const view = taskView(found);
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
      ['created', localTime(view.created_at)],
      ['claude task', claudeTask(view.source_metadata)],
      ['not synced', view.unsynced],
    ]),
  );
  say(io.out, `\n${visible(view.prompt)}`);
  return 0;
}

function claudeTask({
  claude_list: entry,
  claude_task_id: record,
}: ReturnType<typeof taskView>['source_metadata']): string | null {
  const { list, number } = (entry ?? {}) as { list?: string; number?: number };
  const place = number === undefined ? null : `#${number} in list ${list}`;
  return (
    [place, record === undefined ? null : `record ${record}`].filter((part) => part !== null).join(', ') ||
    null
  );
}
