import { constants } from 'node:fs';
import { access, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClaudeConfigDir } from './config-dir.ts';

/** Whether hookctl can write a list; looked at without making anything. */
interface ListState {
  readonly path: string;
  readonly exists: boolean;
  /** Why it can't be written; null: it can, or it can be made. */
  readonly problem: string | null;
}

export async function inspectList({ path, explicit }: ClaudeConfigDir, listName: string): Promise<ListState> {
  const tasks = join(path, 'tasks');
  const list = join(tasks, listName);
  const [config, parent, own] = await Promise.all([look(path), look(tasks), look(list)]);
  const state = (problem: string | null): ListState => ({
    path: list,
    exists: own.kind === 'folder',
    problem,
  });
  if (config.kind === 'missing' && !explicit) {
    return state(`${path} does not exist: start Claude Code once, or set CLAUDE_CONFIG_DIR`);
  }
  return state(parent.problem ?? own.problem);
}

interface Look {
  readonly kind: 'folder' | 'missing' | 'other';
  readonly problem: string | null;
}

async function look(path: string): Promise<Look> {
  const other = (problem: string): Look => ({ kind: 'other', problem: `${path} ${problem}` });
  const stats = await lstat(path).catch(() => null);
  if (stats === null) return { kind: 'missing', problem: null };
  if (stats.isSymbolicLink()) return other('is a symbolic link, which hookctl does not follow');
  if (!stats.isDirectory()) return other('is a file where a folder should be');
  if (stats.uid !== process.getuid?.()) return other('belongs to another user');
  const writable = await access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  return writable ? { kind: 'folder', problem: null } : other('is not writable');
}
