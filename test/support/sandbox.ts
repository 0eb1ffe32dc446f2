import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import type { Task } from '../../src/types.ts';
import { onFileEnd } from './file-end.ts';
import { SECRET } from './secret.ts';

/** A user with a home, a project and a Claude folder of their own. Nothing in it is shared with the machine's user. */
export interface Sandbox {
  readonly root: string;
  readonly home: string;
  /** The folder in which commands run. */
  readonly project: string;
  readonly dataFolder: string;
  /** `CLAUDE_CONFIG_DIR`. */
  readonly claudeFolder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Writes a file of the project. */
  write(name: string, content: string): Promise<void>;
  remove(): Promise<void>;
}

export interface SandboxOptions {
  /** Files of the project: name → content. */
  readonly files?: Readonly<Record<string, string>>;
  /** More environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** False: hookctl finds the data folder itself, without `HOOKCTL_HOME`. */
  readonly fixedDataFolder?: boolean;
}

export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { files = {}, env = {}, fixedDataFolder = true } = options;
  const root = await realpath(await mkdtemp(join(tmpdir(), 'hookctl-test-')));
  const [home, project, claudeFolder] = ['home', 'project', 'claude'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [home, project, claudeFolder]) await mkdir(folder);
  const dataFolder = fixedDataFolder ? join(root, 'data') : join(project, '.hookctl');
  const write = async (name: string, content: string) => {
    await mkdir(dirname(join(project, name)), { recursive: true });
    await writeFile(join(project, name), content);
  };
  for (const [name, content] of Object.entries(files)) await write(name, content);
  return {
    root,
    home,
    project,
    dataFolder,
    claudeFolder,
    write,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      XDG_CACHE_HOME: inject('compiled'),
      CLAUDE_CONFIG_DIR: claudeFolder,
      GITHUB_WEBHOOK_SECRET: SECRET,
      ...(fixedDataFolder && { HOOKCTL_HOME: dataFolder }),
      ...env,
    },
    // An agent that is being ended may write into it once more.
    remove: () => rm(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }),
  };
}

/** A sandbox that is gone when the running test ends. */
export async function sandboxForTest(options?: SandboxOptions): Promise<Sandbox> {
  const sandbox = await createSandbox(options);
  onTestFinished(sandbox.remove);
  return sandbox;
}

/** A sandbox that is gone when the file ends; call it in `beforeAll`. */
export async function sandboxForFile(options?: SandboxOptions): Promise<Sandbox> {
  const sandbox = await createSandbox(options);
  onFileEnd(sandbox.remove);
  return sandbox;
}

/** The files of a task in Claude's folder, parsed; null where there is none. */
export async function taskFiles({ claudeFolder }: Sandbox, task: Task | undefined) {
  const place = task?.sourceMetadata.claude_list as { list: string; number: number } | undefined;
  const read = async (...path: readonly string[]) => {
    const file = join(claudeFolder, 'tasks', ...path);
    return existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : null;
  };
  return {
    record: await read(`claude-task-${task?.id}.json`),
    entry: await read(String(place?.list), `${place?.number}.json`),
    number: place?.number ?? null,
  };
}
