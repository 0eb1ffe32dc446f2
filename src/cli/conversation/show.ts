import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';
import { metricsView } from '../../task-views.ts';
import { type TaskView, taskView } from '../../views.ts';
import { taskTree } from '../flow/show.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { costOf, countsByStatus, localTime, printJson, sayFacts, tookOf } from '../kit/print.ts';
import { remoteCall, remoteRows } from '../kit/remote.ts';
import { stored } from '../kit/stored.ts';

const TASKS_SHOWN = 500;

export const configureShow: CliCommand = (command, runner) => {
  command
    .description('Show a conversation: its totals and its tasks.')
    .argument('<id>', 'conversation id')
    .option('--json', 'print one object, its tasks under `items`')
    .examples('hookctl conversation show conv-01jd9x3k2a7f3kq2')
    .action(runner.action(command, show));
};

function storedConversation(app: Services, id: string) {
  const { store, found } = stored(app, 'conversation', id, (reader) => reader.conversations({ id })[0]);
  const tasks = store.tasks({ conversationId: id, limit: TASKS_SHOWN }).map(taskView).toReversed();
  return { view: metricsView(found), tasks };
}

async function remoteConversation(
  app: Services,
  id: string,
): Promise<ReturnType<typeof storedConversation> | null> {
  const call = await remoteCall(app);
  if (call === null) return null;
  const path = `/api/conversations/${encodeURIComponent(id)}/metrics`;
  const view = await call<ReturnType<typeof metricsView>>({ method: 'GET', path });
  const { items } = await remoteRows<TaskView>(call, 'tasks', { conversationId: id, limit: TASKS_SHOWN });
  return { view, tasks: items.toReversed() };
}

async function show(app: Services, id: string, { json }: JsonFlags): Promise<0> {
  const { view, tasks } = (await remoteConversation(app, id)) ?? storedConversation(app, id);
  if (json === true) {
    printJson(app.io, { ...view, items: tasks });
    return 0;
  }
  sayFacts(app.io.out, [
    ['conversation', view.id],
    ['owner', view.owner],
    ['flow', view.flow_id],
    ['created', localTime(view.created_at)],
    ['started', view.started_at === null ? null : localTime(view.started_at)],
    ['completed', view.completed_at === null ? null : localTime(view.completed_at)],
    ['tasks', countsByStatus(view.by_status)],
    ['took', tookOf(view)],
    ['cost', costOf(view)],
    ['per task', view.average_cost_usd === null ? null : `$${view.average_cost_usd.toFixed(4)}`],
  ]);
  say(app.io.out, `\n${taskTree(tasks).join('\n')}`);
  return 0;
}
