import type { Task } from '../../types.ts';
import { limitsOf, type OwnerLimits } from '../owner-limits.ts';
import { listFolderName } from './folder.ts';
import { type ClaudeTasks, type ClaudeTasksOptions, openClaudeTasks } from './index.ts';

interface ListsOptions extends ClaudeTasksOptions {
  readonly owners: OwnerLimits;
}

/** The folder name of the list in which an owner's tasks appear. */
export function listOf({ list, owners }: Pick<ListsOptions, 'list' | 'owners'>, owner: string): string {
  return listFolderName(limitsOf(owners, owner).claudeList ?? list);
}

/** The project's list, and those of owners that have their own: each task in that of its owner. Never rejects, as `openClaudeTasks`. */
export async function openClaudeLists(options: ListsOptions): Promise<ClaudeTasks> {
  const base = await openClaudeTasks(options);
  const names = Object.keys(options.owners).map((owner) => listOf(options, owner));
  const further = new Set(names);
  further.delete(listFolderName(options.list));
  if (further.size === 0 || !options.listEnabled) return base;
  const opened = [...further].map(
    async (list) => [list, await openClaudeTasks({ ...options, list })] as const,
  );
  const byList = new Map(await Promise.all(opened));
  const parts = [base, ...byList.values()];
  const partOf = ({ owner }: Task) => byList.get(listOf(options, owner)) ?? base;
  const { list: baseList } = base;

  async function inEach(
    work: (part: ClaudeTasks, tasks: readonly Task[]) => ReturnType<ClaudeTasks['project']>,
    tasks: readonly Task[],
  ) {
    const byPart = Map.groupBy(tasks, partOf);
    return (await Promise.all(parts.map((part) => work(part, byPart.get(part) ?? [])))).flat();
  }

  return {
    get state() {
      return parts.find(({ state }) => !state.on)?.state ?? base.state;
    },
    get isBehind() {
      return parts.some(({ isBehind }) => isBehind);
    },
    project: (tasks) => inEach((part, own) => part.project(own), tasks),
    repair: (tasks) => inEach((part, own) => part.repair(own), tasks),
    remove: base.remove,
    list:
      baseList === null
        ? null
        : { ...baseList, claimant: async (task) => (await partOf(task).list?.claimant(task)) ?? null },
    parts,
  };
}
