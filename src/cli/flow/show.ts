import { say } from '../../lib/io.ts';
import { escapeInvisibleLine, shorten } from '../../lib/text/escape-invisible.ts';
import type { Services } from '../../services.ts';
import { type FlowDetails, flowDetails, flowNamed } from '../../task-views.ts';
import type { TaskView } from '../../views.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { countedNoun, duration, localTime, printJson, sayFacts } from '../kit/print.ts';
import { shownView } from '../kit/stored.ts';

const RESULT_LENGTH = 100;

/**
 * Tasks as a tree, children under their parents, each with its time and result. A task whose parent is not among them
 * is at the top level.
 */
export function taskTree(tasks: readonly TaskView[]): readonly string[] {
  const known = new Set(tasks.map(({ id }) => id));
  const byParent = Map.groupBy(tasks, ({ parent_task_id: parent }) =>
    parent !== null && known.has(parent) ? parent : null,
  );
  const below = (parent: string | null, indent: string): readonly string[] => {
    const children = byParent.get(parent) ?? [];
    return children.flatMap((task, index) => {
      const isLast = index === children.length - 1;
      const [branch, trunk] = parent === null ? ['', ''] : isLast ? ['└─ ', '   '] : ['├─ ', '│  '];
      const rest = below(task.id, indent + trunk);
      const inner = indent + trunk + (rest.length > 0 ? '│  ' : '   ');
      return [
        indent + branch + headline(task),
        ...details(task).map((line) => inner + escapeInvisibleLine(line)),
        ...rest,
      ];
    });
  };
  return below(null, '');
}

/** The tasks of a flow; where others go on in it, below what each is about, in the order of their joins. */
function flowTree({ id: root, external_id: about, tasks, links }: FlowDetails): readonly string[] {
  if (links.length === 0) return taskTree(tasks);
  const subjects = new Set(links.map(({ external_id }) => external_id));
  const homeOf = (task: TaskView) => (subjects.has(task.external_id) ? task.external_id : about);
  const below = (flowId: string, subject: string): readonly string[] => {
    const children = links.filter(({ into_flow_id }) => into_flow_id === flowId);
    const trunk = children.length > 0 ? '│  ' : '   ';
    return [
      ...taskTree(tasks.filter((task) => homeOf(task) === subject)).map((line) => trunk + line),
      ...children.flatMap(({ flow_id, external_id, reason, actor }, index) => {
        const isLast = index === children.length - 1;
        const head = `${external_id}  (${reason}; ${actor})`;
        return [
          (isLast ? '└─ ' : '├─ ') + escapeInvisibleLine(head),
          ...below(flow_id, external_id).map((line) => (isLast ? '   ' : '│  ') + line),
        ];
      }),
    ];
  };
  return [escapeInvisibleLine(about), ...below(root, about)];
}

function headline({ id, status, agent, title }: TaskView): string {
  return `${id}  ${status}  ${escapeInvisibleLine(agent)}  ${escapeInvisibleLine(title)}`;
}

function details(task: TaskView): readonly string[] {
  const took = task.duration_ms === null ? '' : `, took ${duration(task.duration_ms)}`;
  const ended = task.completed_at === null ? '' : `, ended ${localTime(task.completed_at)}`;
  const waits = task.depends_on.length === 0 ? [] : [`depends on ${task.depends_on.join(', ')}`];
  const outcome = task.result ?? task.error;
  return [
    `made ${localTime(task.created_at)}${ended}${took}, ${task.conversation_id}`,
    ...waits,
    ...(outcome === null ? [] : [shorten(`→ ${escapeInvisibleLine(outcome)}`, RESULT_LENGTH)]),
  ];
}

export const configureShow: CliCommand = (command, runner) => {
  command
    .description('Show a flow: its conversations, and its tasks as a tree.')
    .argument('<id>', 'flow id, or its external id, such as jira:PROJ-123')
    .option('--json', 'print one object')
    .examples('hookctl flow show flow-0f3a8b7c6d5e4f30', 'hookctl flow show jira:PROJ-123')
    .action(runner.action(command, show));
};

async function show(app: Services, id: string, { json }: JsonFlags): Promise<0> {
  const view = await shownView(app, 'flow', id, {
    find: (store) => flowNamed(store, id),
    view: flowDetails,
  });
  if (json === true) {
    printJson(app.io, view);
    return 0;
  }
  sayFacts(app.io.out, [
    ['flow', view.id],
    ['about', view.external_id],
    ['created', localTime(view.created_at)],
    ...view.conversations.map(
      ({ id: conversation, tasks }) =>
        [
          'conversation',
          `${conversation}  ${countedNoun(tasks, 'task')}${conversation === view.current_conversation_id ? ', current' : ''}`,
        ] as const,
    ),
  ]);
  say(app.io.out, `\n${flowTree(view).join('\n')}`);
  return 0;
}
