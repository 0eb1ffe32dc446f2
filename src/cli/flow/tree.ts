import { escapeInvisibleLine, shorten } from '../../lib/text/escape-invisible.ts';
import type { TaskView } from '../../views.ts';
import { duration, localTime } from '../kit/print.ts';

const RESULT_LENGTH = 100;

/**
 * Tasks as a tree, children under their parents, each with its time and what came of it. A task whose parent is not
 * among them stands at the top, as does none twice.
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
