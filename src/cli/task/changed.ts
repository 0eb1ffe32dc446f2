import { paint, say } from '../../lib/io.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { TaskVerb } from '../../server/task-operations.ts';
import type { Services } from '../../services.ts';
import type { TaskReport } from '../../tasks/change.ts';
import { iso, type TaskView } from '../../views.ts';
import { operations } from '../kit/operate.ts';
import { facts, printJson } from '../kit/print.ts';

/** Lets something happen to a task, here or in the running server, and prints where it stands then. */
export async function changeTask(
  app: Services,
  id: string,
  verb: TaskVerb,
  { json, ...report }: Omit<TaskReport, 'actor'> & { readonly json: boolean | undefined },
): Promise<0> {
  const before = app.reader()?.task(id) ?? null;
  const { tasks } = await operations(app, `task ${verb}`);
  const view = await tasks.change(id, verb, { ...report, actor: 'cli' });
  if (before?.status === view.status && iso(before.updatedAt) === view.updated_at) {
    say(app.io.err, paint(app.io.err, 'yellow', `${id} is already ${view.status}: nothing was changed`));
  }
  return printChanged(app, view, json);
}

/** What a command that made or changed a task prints. */
export function printChanged({ io }: Services, view: TaskView, json: boolean | undefined): 0 {
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
    ]),
  );
  if (view.unsynced !== null) {
    say(io.err, paint(io.err, 'yellow', `task files not written: ${escapeInvisibleLine(view.unsynced)}`));
  }
  say(io.err, `Next: hookctl task show ${view.id}`);
  return 0;
}
