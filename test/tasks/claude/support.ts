import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { SyncNote } from '../../../src/store/tasks.ts';
import {
  type ClaudeTasks,
  type ClaudeTasksOptions,
  openClaudeTasks,
} from '../../../src/tasks/claude/index.ts';
import type { Task } from '../../../src/types.ts';

/** Claude Code's own schema of a task file, unchanged from 2.1.16 to 2.1.330. */
export const claudeSchema = z.object({
  id: z.string(),
  subject: z.string(),
  description: z.string(),
  activeForm: z.string().optional(),
  owner: z.string().optional(),
  status: z.enum(['pending', 'in_progress', 'completed']),
  blocks: z.array(z.string()),
  blockedBy: z.array(z.string()),
  metadata: z.record(z.string(), z.unknown()).optional(),
});
export type ClaudeFile = z.infer<typeof claudeSchema>;

/** A configuration folder of the test's own, with short ways to look into it. */
export interface Scene {
  readonly root: string;
  readonly configDir: string;
  readonly tasksDir: string;
  readonly listDir: string;
  open(options?: Partial<ClaudeTasksOptions>): Promise<ClaudeTasks>;
  /** Every entry, the keeper too; fails on a file that Claude Code would skip or that does not fit its name. */
  list(): Promise<readonly ClaudeFile[]>;
  /** hookctl's task ids in the list, in order of their numbers. */
  listedIds(): Promise<readonly string[]>;
  entryOf(taskId: string): Promise<ClaudeFile>;
  /** Changes a task's entry in place, as a person or Claude Code would. */
  edit(taskId: string, change: (file: Record<string, unknown>) => object): Promise<void>;
  record(taskId: string): Promise<Record<string, unknown>>;
  remove(): Promise<void>;
}

export async function createScene(): Promise<Scene> {
  const root = await mkdtemp(join(tmpdir(), 'hookctl-claude-'));
  const configDir = join(root, 'claude');
  const tasksDir = join(configDir, 'tasks');
  const listDir = join(tasksDir, 'hookctl');
  const list = () => readList(listDir);
  const own = async () => (await list()).filter(({ metadata }) => taskIdOf(metadata) !== null);
  const entryOf = async (taskId: string) => {
    const found = (await own()).filter(({ metadata }) => taskIdOf(metadata) === taskId);
    if (found[0] === undefined || found.length > 1) throw new Error(`${taskId}: ${found.length} entries`);
    return found[0];
  };
  return {
    root,
    configDir,
    tasksDir,
    listDir,
    list,
    open: (options) =>
      openClaudeTasks({
        configDir,
        explicit: true,
        list: 'hookctl',
        listEnabled: true,
        recordEnabled: true,
        project: '/home/dev/shop',
        now: Date.now,
        ...options,
      }),
    listedIds: async () => (await own()).map(({ metadata }) => String(taskIdOf(metadata))),
    entryOf,
    edit: async (taskId, change) => {
      const path = join(listDir, `${(await entryOf(taskId)).id}.json`);
      await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8'))), null, 2));
    },
    record: async (taskId) =>
      JSON.parse(await readFile(join(tasksDir, `claude-task-${taskId}.json`), 'utf8')),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

async function readList(folder: string): Promise<readonly ClaudeFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  const files = await Promise.all(
    names.map(async (name) => {
      const file = claudeSchema.parse(JSON.parse(await readFile(join(folder, name), 'utf8')));
      if (`${file.id}.json` !== name) throw new Error(`${name} holds id ${file.id}`);
      return file;
    }),
  );
  return files.sort((left, right) => Number(left.id) - Number(right.id));
}

function taskIdOf(metadata: ClaudeFile['metadata']): string | null {
  const id = metadata?.orchestration_task_id;
  return typeof id === 'string' ? id : null;
}

export function aTask(id: string, changes: Partial<Task> = {}): Task {
  return {
    id,
    title: `Analyze ${id}`,
    status: 'queued',
    agent: 'brain',
    prompt: 'Say why the login fails.',
    flowId: 'flow-0123456789abcdef',
    conversationId: 'conv-1',
    source: 'github',
    parentTaskId: null,
    dependsOn: [],
    initiatedTaskId: id,
    deliveryId: 'dlv-1',
    owner: 'operator',
    webhook: 'github',
    command: 'analyze',
    externalId: 'github:acme/shop#42',
    url: 'https://github.com/acme/shop/issues/42',
    result: null,
    error: null,
    sourceMetadata: {},
    syncToClaudeTasks: true,
    unsynced: null,
    trust: 'verified',
    isSample: false,
    usage: { costUsd: null, inputTokens: null, outputTokens: null, durationMs: null },
    createdAt: 1_700_000_000_000,
    updatedAt: 1_700_000_000_000,
    startedAt: null,
    completedAt: null,
    ...changes,
  };
}

export function someTasks(prefix: string, count: number): readonly Task[] {
  return Array.from({ length: count }, (_, index) => aTask(`task-${prefix}-${index}`));
}

/** The task as the store has it after the note. */
export function noted(task: Task, note: SyncNote | undefined): Task {
  if (note === undefined) throw new Error(`no note for ${task.id}`);
  const { claudeList, unsynced } = note;
  const list = claudeList === null ? {} : { claude_list: { ...claudeList } };
  return { ...task, unsynced, sourceMetadata: { ...task.sourceMetadata, ...list } };
}
