import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../lib/files/atomic-file.ts';

/**
 * A checkout of one conversation. Its record is a file beside it, so that it is found and removed whatever becomes of
 * the store. Times are epoch milliseconds.
 */
export interface Workspace {
  /** The conversation's id with a hash of repository and kind: also the name of its folder. */
  readonly id: string;
  readonly conversationId: string;
  readonly flowId: string;
  /** The agent for which it was made. */
  readonly agent: string;
  readonly use: 'worktree' | 'clone';
  /** Top folder of the repository that it was made from. */
  readonly repository: string;
  /** Top folder of the checkout. */
  readonly path: string;
  readonly branch: string;
  /** The branch of the pull request that it was made for, where `branch` is another one or began there. */
  readonly pullBranch?: string;
  /** The commit where its branch started. */
  readonly base: string;
  /**
   * `making`: no agent was in it yet. `setup`: its setup has to run, or was cut off. `removing`: its teardown has
   * started.
   */
  readonly state: 'making' | 'setup' | 'ready' | 'removing';
  readonly createdAt: number;
  /** When its last run ended, or when it was last seen to hold work. */
  readonly usedAt: number;
  /** What it took on disk then. */
  readonly bytes: number;
  /** Work in it that is nowhere else, as of the last look; in words. */
  readonly unshipped: readonly string[];
}

/** The records of all workspaces below a folder. */
interface WorkspaceRecords {
  get(id: string): Workspace | undefined;
  all(): readonly Workspace[];
  /** Resolves when it is on disk. */
  put(workspace: Workspace): Promise<void>;
  /** Forgets it, with everything in its folder. */
  remove(id: string): Promise<void>;
}

const RECORD = 'workspace.json';

/** What is in a folder, oldest first; nothing where there is no such folder. */
export async function readWorkspaces(root: string): Promise<readonly Workspace[]> {
  const names = await readdir(root).catch(() => []);
  const read = names.map(async (name) => {
    const text = await readFile(join(root, name, RECORD), 'utf8').catch(() => null);
    return text === null ? [] : [JSON.parse(text) as Workspace];
  });
  return (await Promise.all(read)).flat().sort((left, right) => left.createdAt - right.createdAt);
}

/** The records, kept in memory and in files; one process writes them: the one that holds the data folder. */
export async function openRecords(root: string): Promise<WorkspaceRecords> {
  const byId = new Map((await readWorkspaces(root)).map((workspace) => [workspace.id, workspace]));
  return {
    get: (id) => byId.get(id),
    all: () => [...byId.values()],
    async put(workspace) {
      byId.set(workspace.id, workspace);
      await mkdir(join(root, workspace.id), { recursive: true, mode: 0o700 });
      await writeFileAtomic(join(root, workspace.id, RECORD), JSON.stringify(workspace, null, 2));
    },
    async remove(id) {
      await rm(join(root, id), { recursive: true, force: true });
      byId.delete(id);
    },
  };
}
