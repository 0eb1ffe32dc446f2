import type { Io } from '../../lib/io.ts';
import { say } from '../../lib/io.ts';
import { escapeInvisibleLine, shorten } from '../../lib/text/escape-invisible.ts';
import type { DispatchView } from '../../server/api/deliveries.ts';
import type { TaskView } from '../../views.ts';
import { sayFacts, warn } from '../kit/print.ts';

/** What became of a delivery: its id, the commands that fired, the tasks, and the next useful command. */
export function printSettled(io: Io, { delivery, tasks }: DispatchView): void {
  const fired = delivery.decisions.filter(({ fired }) => fired);
  sayFacts(io.out, [
    ['delivery', delivery.id],
    ['status', delivery.status],
    ['event', delivery.event_type],
    ['reason', delivery.reason],
    ...fired.map(
      ({ command, error }) => ['command', error === null ? command : `${command} (${error})`] as const,
    ),
    ...tasks.map((task) => ['task', taskLine(task)] as const),
  ]);
  for (const { unsynced } of tasks) {
    if (unsynced !== null) warn(io, `task files not written: ${escapeInvisibleLine(unsynced)}`);
  }
  const task = tasks[0];
  say(io.err, task === undefined ? `Why: hookctl explain ${delivery.id}` : `Next: ${nextFor(task)}`);
}

/** What is left of 80 columns beside the longest label, `delivery`. */
const COLUMNS = 70;

/** Its title is cut to what fits; `hookctl task show` has all of it. */
function taskLine({ id, status, agent, title }: TaskView): string {
  const before = `${id}  ${status}  ${agent}  `;
  return before + shorten(title, Math.max(COLUMNS - before.length, 12));
}

function nextFor({ id, status }: TaskView): string {
  return `hookctl task ${status === 'waiting_approval' ? 'approve' : 'show'} ${id}`;
}

/** Whether a command that waited for this delivery has succeeded. */
export function succeeded({ delivery }: DispatchView): boolean {
  return delivery.status !== 'failed' && delivery.status !== 'rejected' && delivery.status !== 'unparsed';
}
