import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { AgentRunner, CommonOptions, LogLine, RunOrder } from '../../src/agents/runner.ts';
import { NO_ENVIRONMENTS } from '../../src/agents/runner.ts';
import { type Scheduler, startScheduler } from '../../src/agents/scheduler/scheduler.ts';
import type { Workspaces } from '../../src/agents/workspace/workspaces.ts';
import { workspacesOf } from '../../src/server/workspaces/index.ts';
import type { AgentRun, Task } from '../../src/types.ts';
import { startEngine, type TestEngine, type TestEngineOptions } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { aRun, TASK } from './values-of-runs.ts';

export { TASK } from './values-of-runs.ts';

/** What the fake agent saw of its surroundings. */
export interface Dump {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly prompt: string;
  readonly cwd: string;
  readonly pid: number;
}

/** Puts the fake agent into a folder, as a program; returns its path. */
export function installAgent(folder: string): string {
  const script = join(import.meta.dirname, 'fixtures/fake-agent.ts');
  const file = join(folder, 'fake-agent');
  writeFileSync(file, `#!/bin/sh\nexec "${process.execPath}" "${script}" "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

/** Puts `dumper` into a folder: it only writes down its arguments and which descriptors it passes on, quickly. */
export function installDumper(folder: string): void {
  const file = join(folder, 'dumper');
  const result = JSON.stringify({ type: 'result', subtype: 'success', is_error: false, result: 'Done.' });
  writeFileSync(
    file,
    `#!/bin/sh\nprintf '%s\\0' "$@" > "arguments-$$"\n[ -d /proc/self/fd ] && ls -l /proc/self/fd > descriptors\ncat > /dev/null\nprintf '%s\\n' '${result}'\n`,
  );
  chmodSync(file, 0o755);
}

/** The arguments that a dumper was started with, by its process id. */
export function readArguments(folder: string, pid: number): readonly string[] {
  return readFileSync(join(folder, `arguments-${pid}`), 'utf8')
    .split('\0')
    .slice(0, -1);
}

export function dumpsIn(folder: string): readonly Dump[] {
  const place = join(folder, 'dumps');
  if (!existsSync(place)) return [];
  return readdirSync(place)
    .toSorted()
    .map((name) => JSON.parse(readFileSync(join(place, name), 'utf8')) as Dump);
}

/** A folder that the caller removes. */
export function newFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'hookctl-agents-')));
}

/** A folder that is gone when the test ends. */
export function folderForTest(): string {
  const folder = newFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
  return folder;
}

/** Everything that a run came to, and what was told of it meanwhile. */
export interface Ran {
  readonly result: Awaited<Awaited<ReturnType<AgentRunner['start']>>['result']>;
  readonly log: readonly LogLine[];
  readonly sessions: readonly (readonly [string, string | null])[];
  readonly commandLines: readonly (readonly string[])[];
  readonly pids: readonly number[];
  readonly dump: Dump | null;
}

/** Runs the fake agent by a runner, in a folder. `settings`: of the agent, as in webhooks.yml. */
export async function runAgent(
  runner: AgentRunner,
  folder: string,
  settings: Readonly<Record<string, unknown>>,
  more: Partial<RunOrder<CommonOptions>> = {},
): Promise<Ran> {
  const options = runner.options.parse({ use: runner.name, ...settings }) as unknown as CommonOptions;
  const run = aRun(folder);
  const scratch = join(folder, `scratch-${run.id}`);
  mkdirSync(scratch);
  const log: LogLine[] = [];
  const sessions: [string, string | null][] = [];
  const commandLines: (readonly string[])[] = [];
  const pids: number[] = [];
  const order: RunOrder<CommonOptions> = {
    ...{
      run,
      task: TASK,
      options,
      folder,
      sandbox: null,
      scratch,
      projectFolder: folder,
      dataFolder: join(folder, '.hookctl'),
    },
    ...{
      prompt: 'Fix it.',
      env: { PATH: process.env.PATH, HOME: folder },
      secretNames: new Set(),
      taskList: 'hookctl',
    },
    ...{ session: null, meter: [], priceOf: () => null, environment: {}, checkouts: [], otherFolders: [] },
    ...more,
  };
  const started = await runner.start(order, {
    log: (line) => log.push(line),
    started(pid, commandLine) {
      pids.push(pid);
      commandLines.push(commandLine);
    },
    session: (id, openWith) => sessions.push([id, openWith]),
  });
  const result = await started.result;
  const file = join(folder, 'dumps', `${run.id}.json`);
  const dump = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Dump) : null;
  return { result, log, sessions, commandLines, pids, dump };
}

/** True while a process is there; one that ended and was not asked for is none. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync('/proc/self/stat') || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** An engine with a scheduler on it, as `serve` has them. */
export interface AgentEngine extends TestEngine {
  readonly scheduler: Scheduler;
  readonly workspaces: Workspaces;
  /** What was said about workspaces. */
  readonly reports: readonly string[];
  /** What was said to be held. */
  readonly held: readonly string[];
  /** Budgets that were said to be spent to 80 %. */
  readonly near: readonly string[];
  /** Runs as they started and ended. */
  readonly told: readonly AgentRun[];
  /** Tasks that runs moved on: `task-… completed`. */
  readonly moved: () => readonly string[];
  /** Makes a task as `hookctl task create` does. */
  task(prompt: string, more?: Partial<TaskWish>): Promise<Task>;
  /** The newest run of a task once it has ended. */
  ended(taskId: string, patienceMs?: number): Promise<AgentRun>;
}

interface TaskWish {
  readonly agent: string;
  readonly owner: string;
  readonly externalId: string;
  readonly parentId: string;
  readonly dependsOn: readonly string[];
}

/** The fake agent, and `quick`, which says `Done.` at once. */
function installPrograms(folder: string): void {
  installAgent(folder);
  writeFileSync(join(folder, 'quick'), '#!/bin/sh\ncat > /dev/null\necho Done.\n');
  chmodSync(join(folder, 'quick'), 0o755);
}

/** `yaml` may name `program: ./fake-agent` and `./quick`. */
export async function startAgents(
  options: TestEngineOptions & { readonly managementPort?: number },
): Promise<AgentEngine> {
  const { createTask } = await import('../../src/tasks/create.ts');
  const engine = await startEngine({
    ...options,
    prepare(folder) {
      installPrograms(folder);
      options.prepare?.(folder);
    },
  });
  const { context, configuration, folder, env } = engine;
  const held: string[] = [];
  const near: string[] = [];
  const told: AgentRun[] = [];
  const moved: string[] = [];
  const reports: string[] = [];
  const workspaces = workspacesOf({
    services: {
      located: { projectFile: join(folder, 'webhooks.yml'), dataFolder: join(folder, '.hookctl') },
      ...{ home: join(folder, '..'), cwd: folder, env, clock: context.clock },
    },
    ...{ configuration, store: context.store },
    secretNames: () => configuration.agents.secretNames,
    managementPort: () => options.managementPort ?? null,
    report: (text) => reports.push(text),
  });
  const scheduler = startScheduler({
    ...context,
    agents: configuration.agents,
    limits: configuration.project.runs,
    prices: configuration.project.prices,
    projectFolder: folder,
    dataFolder: join(folder, '.hookctl'),
    env,
    secretNames: () => configuration.agents.secretNames,
    taskListOf: () => 'hookctl',
    environments: NO_ENVIRONMENTS,
    workspaces: await workspaces(),
    redact: (text) => text,
    report: {
      run(run) {
        told.push(run);
        engine.outbox.wake();
      },
      progress: () => undefined,
      held: (reason) => held.push(reason),
      budget: (text) => near.push(text),
      task({ id, status }) {
        moved.push(`${id} ${status}`);
        engine.outbox.wake();
      },
      broken(error) {
        throw error;
      },
    },
  });
  onTestFinished(scheduler.close);
  return {
    ...engine,
    scheduler,
    workspaces: await workspaces(),
    reports,
    held,
    near,
    told,
    moved: () => moved,
    async deliver(...wanted) {
      const settled = await engine.deliver(...wanted);
      scheduler.wake();
      return settled;
    },
    async task(prompt, more = {}) {
      const task = await createTask(context, { prompt, ...more }, 'cli', folder);
      scheduler.wake();
      return task;
    },
    ended: (taskId, patienceMs) =>
      eventually(
        `the run of ${taskId} to end`,
        () => {
          const run = context.store.runsOfTask(taskId).at(-1);
          return run?.endedAt == null ? null : run;
        },
        patienceMs,
      ),
  };
}
