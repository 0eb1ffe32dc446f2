import { chmodSync, copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from '../support/sandbox.ts';

/** Two agents, of which one may run four times at once and one once. */
export const MANY_YAML = `agents:
  wide:
    { use: command, program: ./agent, args: ["--title={{title}}", "4", "4"], concurrency: 4, rerunOnCrash: true }
  narrow:
    { use: command, program: ./agent, args: ["--title={{title}}", "1", "4"], concurrency: 1, rerunOnCrash: true }
runs: { concurrency: 4, perDay: { runs: 10000 }, perThread: { runs: 1000 } }
claudeTasks: { enabled: false }
`;

export function installCounted({ project }: Pick<Sandbox, 'project'>): void {
  copyFileSync(join(import.meta.dirname, 'fixtures/counted-agent.sh'), join(project, 'agent'));
  chmodSync(join(project, 'agent'), 0o755);
}

/** Bodies for `POST /api/tasks`, so that each conversation has its tasks in order and every fourth one is narrow. */
export function manyTasks(tasks: number, conversations: number): readonly object[] {
  return Array.from({ length: tasks }, (_, index) => {
    const conversation = index % conversations;
    return {
      prompt: 'Count',
      title: String(Math.floor(index / conversations) + 1),
      agent: conversation % 4 === 0 ? 'narrow' : 'wide',
      external_id: `test:${conversation}`,
    };
  });
}

/** What the agents noted that must not be: two of a conversation at once, more than the limits, out of order. */
export function violations({ project }: Pick<Sandbox, 'project'>): readonly string[] {
  const noted = existsSync(join(project, 'violations'))
    ? readFileSync(join(project, 'violations'), 'utf8')
    : '';
  const starts = readFileSync(join(project, 'starts'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const outOfOrder = [...Map.groupBy(starts, ([conversation]) => conversation)].flatMap(
    ([conversation, all]) => {
      const numbers = all.map(([, number]) => Number(number));
      // A task that was interrupted starts again: the same number twice, never a smaller one.
      return numbers.some((number, index) => number < (numbers[index - 1] ?? 0))
        ? [`${conversation} out of order: ${numbers.join(' ')}`]
        : [];
    },
  );
  return [...noted.split('\n').filter((line) => line !== ''), ...outOfOrder];
}
