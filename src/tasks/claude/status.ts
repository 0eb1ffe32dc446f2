import { constants } from 'node:fs';
import { access, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { failure, HookctlError } from '../../errors.ts';
import { programEnvironment, startProcess } from '../../lib/process/subprocess.ts';
import type { ClaudeConfigDir } from './folder.ts';

/** Whether hookctl can write a list; looked at without making anything. */
interface ListState {
  readonly path: string;
  readonly exists: boolean;
  /** Why it can't be written. Null when it can, or when it can be made. */
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

/** Whether this machine's Claude Code has the Task tools, which show it the list. */
interface TaskTools {
  /** `2.1.330`; null when Claude Code was not found. */
  readonly version: string | null;
  /** `asked`: newer models have them only where `CLAUDE_CODE_ENABLE_TODO_TOOLS` asks. */
  readonly tools: 'unknown' | 'none' | 'on' | 'asked';
  readonly note: string;
}

const PATIENCE_MS = 5_000;
/** The first version with task files, and the first in which newer models lack the tools unless asked. */
const FIRST = [2, 1, 16];
const ASKED_SINCE = [2, 1, 233];

/** Asks `claude --version`. */
export async function taskTools(env: Readonly<Record<string, string | undefined>>): Promise<TaskTools> {
  const version = await claudeVersion(env);
  if (version === null) {
    return {
      version,
      tools: 'unknown',
      note: '`claude --version` gave no answer: is Claude Code on the PATH?',
    };
  }
  if (isBefore(version, FIRST)) {
    return { version, tools: 'none', note: 'it is older than 2.1.16 and has no task list: update it' };
  }
  return isBefore(version, ASKED_SINCE)
    ? { version, tools: 'on', note: 'the Task tools are on' }
    : {
        version,
        tools: 'asked',
        note: 'newer models have the Task tools only where the session asks for them',
      };
}

async function claudeVersion(env: Readonly<Record<string, string | undefined>>): Promise<string | null> {
  try {
    const lines: string[] = [];
    const claude = await startProcess({
      program: 'claude',
      args: ['--version'],
      env: programEnvironment(env, 'CLAUDE_CONFIG_DIR'),
      howToGet: 'Install Claude Code.',
      onLine: (line) => lines.push(line),
    });
    const timer = setTimeout(() => void claude.stop(), PATIENCE_MS);
    await claude.ended;
    clearTimeout(timer);
    const version = /^(\d+\.\d+\.\d+)/.exec(lines.join('\n').trim())?.[1];
    if (version === undefined) throw failure('no_version', 'it printed no version');
    return version;
  } catch (error) {
    if (error instanceof HookctlError) return null;
    throw error;
  }
}

function isBefore(version: string, limit: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  const at = limit.findIndex((part, index) => parts[index] !== part);
  return at !== -1 && (parts[at] ?? 0) < (limit[at] ?? 0);
}
