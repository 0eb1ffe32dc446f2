import { createHash } from 'node:crypto';
import { appendFile, mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { failure, notFound } from '../../errors.ts';
import { isWithin } from '../../lib/files/within.ts';
import { createKeyLock } from '../../lib/key-lock.ts';
import { endMarkedProcesses } from '../../lib/process/marked-processes.ts';
import { type Environment, programEnvironment } from '../../lib/process/subprocess.ts';
import { markerOf } from '../environment.ts';
import type { LogLine, Sandbox } from '../runner.ts';
import { dropCheckout, fetchBranch, makeCheckout, repositoryOf, startOf } from './checkout.ts';
import { createGit, type Git, gitCommand, printed, tryGit } from './git.ts';
import { type ProgramSteps, runPrograms, type Tenant } from './programs.ts';
import { openRecords, type Workspace } from './record.ts';
import { insideOf, type Room, type RoomOrder, sharedRoom } from './room.ts';
import { type WorkspaceLimits, type WorkspaceSettings, workspaceOf } from './settings.ts';
import { unshippedWork } from './unshipped.ts';

interface WorkspacesOptions {
  /** Folder of all workspaces of this data folder. */
  readonly root: string;
  /** Where the logs of teardowns are written. */
  readonly logFolder: string;
  readonly limits: WorkspaceLimits;
  readonly agents: ReadonlyMap<string, Tenant>;
  readonly env: Environment;
  readonly secretNames: () => ReadonlySet<string>;
  readonly now: () => number;
  /** Whether a run or an open task may still use it. */
  readonly isNeeded: (workspace: Workspace) => boolean;
  /** Called with what becomes of workspaces, one line each. */
  readonly report: (text: string) => void;
  /** Why the machine can't give an agent its sandbox now; null when it can. */
  readonly sandboxLacks: (agent: Tenant) => Promise<string | null>;
  /** The sandbox of an agent around checkouts, by a name; null where it has none. */
  readonly sandboxOf: (
    agent: Tenant,
    workspaces: readonly Workspace[],
    more: Pick<RoomOrder, 'log'> & { readonly name: string; readonly scratch: string | null },
  ) => Promise<Sandbox | null>;
}

/** Checkouts of conversations: made for their first run, kept while their flow goes on, removed with nothing lost. */
export interface Workspaces {
  /** Why no workspaces of these folders can be made now for a conversation; null when they can, or are there. */
  lacking(agent: Tenant, conversationId: string, folders: readonly string[]): Promise<string | null>;
  /** Makes the room of a run, with its setup. Throws `HookctlError` when that fails; nothing of it is left then. */
  open(order: RoomOrder): Promise<Room>;
  list(): readonly Workspace[];
  /** Removes one, with its teardown. Throws `not_found`, `in_use`, and `unshipped` unless `force`. */
  remove(id: string, force: boolean): Promise<Workspace>;
  /** Removes those that are no longer needed: past their time, or of any age. Returns what went and what stays with work in it. */
  prune(anyAge: boolean): Promise<Pruned>;
  /** Finishes what a kill cut off. */
  recover(): Promise<void>;
}

interface Pruned {
  readonly removed: readonly Workspace[];
  readonly kept: readonly Workspace[];
}

export async function openWorkspaces(options: WorkspacesOptions): Promise<Workspaces> {
  const { root, limits, env, now, report } = options;
  const records = await openRecords(root);
  const git = createGit(env);
  const lock = createKeyLock();

  const idOf = (conversationId: string, repository: string, use: string) => {
    const hash = createHash('sha256').update(`${repository}\0${use}`).digest('hex').slice(0, 6);
    return `${conversationId}-${hash}`;
  };

  async function lacking(agent: Tenant, conversationId: string, folders: readonly string[]) {
    const lacks = await options.sandboxLacks(agent);
    if (lacks !== null) return lacks;
    if (workspaceOf(agent.options).use === 'shared') return null;
    const own = records.all().filter((each) => each.conversationId === conversationId);
    const has = folders.every((folder) => own.some(({ repository }) => isWithin(repository, folder)));
    if (has || isWithinLimits()) return null;
    await prune(true);
    if (isWithinLimits()) return null;
    const { count, bytes } = usage();
    return `workspaces take ${count} of ${limits.count}, ${inGb(bytes)} of ${inGb(limits.size)}: hookctl workspace list`;
  }

  function usage() {
    const all = records.all();
    return { count: all.length, bytes: all.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  function isWithinLimits(): boolean {
    const { count, bytes } = usage();
    return count < limits.count && bytes < limits.size;
  }

  async function open(order: RoomOrder): Promise<Room> {
    const { agent, places } = order;
    const settings = workspaceOf(agent.options);
    if (settings.use === 'shared') return sharedRoom(order);
    const { use } = settings;
    const made: Workspace[] = [];
    for (const place of places) made.push(await checkoutFor(order, settings, use, place.folder));
    const further = places[0].repository === null ? [] : earlierOf(order, made, use);
    for (const { repository } of further) made.push(await checkoutFor(order, settings, use, repository));
    const { log, signal, scratch, run } = order;
    const sandbox = await options.sandboxOf(agent, made, { log, scratch, name: run.id });
    const close = async () => sandbox?.close();
    try {
      for (const workspace of made) {
        if (workspace.state !== 'setup') continue;
        const steps = { agent, sandbox, runId: run.id, log, signal };
        await runPrograms('setup', workspace, { ...steps, env, secretNames: options.secretNames() });
        await records.put({ ...workspace, state: 'ready' });
      }
    } catch (error) {
      await close();
      throw error;
    }
    const rooms = made.map((workspace, index) => {
      const { folder = workspace.repository, repository = basename(workspace.repository) } =
        places[index] ?? {};
      return { workspace, repository, folder: join(workspace.path, relative(workspace.repository, folder)) };
    });
    return {
      ...insideOf(rooms, order.before),
      branch: made[0]?.branch ?? null,
      pushTo: made[0]?.pullBranch ?? null,
      sandbox,
      leave: async () => {
        const left: string[] = [];
        for (const { id, repository } of made) {
          const unshipped = await leave(id, sandbox);
          left.push(
            ...unshipped.map((text) => (made.length === 1 ? text : `${text} (${basename(repository)})`)),
          );
        }
        return left;
      },
      close,
    };
  }

  /** Checkouts of other repositories that the conversation has: its work is there, too. */
  function earlierOf(
    { task }: RoomOrder,
    made: readonly Workspace[],
    use: Workspace['use'],
  ): readonly Workspace[] {
    return records
      .all()
      .filter((each) => each.conversationId === task.conversationId && each.use === use)
      .filter(({ id }) => made.every((each) => each.id !== id));
  }

  async function checkoutFor(
    { agent, task, log, signal }: RoomOrder,
    settings: WorkspaceSettings,
    use: Workspace['use'],
    folder: string,
  ): Promise<Workspace> {
    const note = (text: string) => log({ kind: 'note', text });
    const repository = await realpath(await repositoryOf(git, folder));
    const id = idOf(task.conversationId, repository, use);
    const make = async () => {
      const found = records.get(id);
      const isThere =
        found !== undefined && (await tryGit(git, found.path, 'rev-parse', '--show-toplevel')) === found.path;
      if (found !== undefined && isThere && found.state !== 'making') {
        // Its teardown was cut off: it is set up again.
        const kept: Workspace = found.state === 'removing' ? { ...found, state: 'setup' } : found;
        await records.put(kept);
        return kept;
      }
      signal.throwIfAborted();
      await mkdir(root, { recursive: true, mode: 0o700 });
      const at = now();
      const made: Workspace = {
        ...{
          id,
          conversationId: task.conversationId,
          flowId: task.flowId,
          agent: agent.name,
          use,
          repository,
        },
        path: join(await realpath(root), id, basename(repository)),
        ...(await startOf(git, repository, task, { base: settings.base, note })),
        ...{ state: 'making', createdAt: at, usedAt: at, bytes: 0, unshipped: [] },
      };
      await records.put(made);
      try {
        await makeCheckout(env, made, note);
      } catch (error) {
        await records.remove(id);
        throw error;
      }
      const ready: Workspace = { ...made, state: 'setup' };
      await records.put(ready);
      note(`${use} ${made.path} on the branch ${made.branch}`);
      return ready;
    };
    // Always the workspace first, then its repository.
    return lock([id], () => lock([repository], make));
  }

  async function leave(id: string, sandbox: Sandbox | null): Promise<readonly string[]> {
    const workspace = records.get(id);
    if (workspace === undefined) return [];
    await lock([workspace.repository], () => fetchBranch(git, workspace)).catch((error: Error) =>
      report(error.message),
    );
    const [unshipped, bytes] = await Promise.all([
      unshippedIn(workspace, sandbox),
      bytesOf(env, dirname(workspace.path)),
    ]);
    await records.put({ ...workspace, unshipped, bytes, usedAt: now() });
    return unshipped;
  }

  /** What cannot be looked at may hold work. */
  function unshippedIn(workspace: Workspace, sandbox: Sandbox | null): Promise<readonly string[]> {
    return unshippedWork(gitIn(sandbox), workspace).catch((error: Error) => [
      `what cannot be read (${error.message})`,
    ]);
  }

  /** Git where the agent may have changed what git starts. */
  function gitIn(sandbox: Sandbox | null): Git {
    if (sandbox === null) return git;
    return async (folder, ...args) => {
      const { program, args: inside, env: given } = await sandbox.enter(gitCommand(env, folder, args));
      return printed(program, inside, given, args[0]);
    };
  }

  async function remove(id: string, force: boolean): Promise<Workspace> {
    return lock([id], async () => {
      const workspace = records.get(id);
      if (workspace === undefined) {
        throw notFound(`there is no workspace ${id}`, 'See them: hookctl workspace list');
      }
      if (options.isNeeded(workspace)) {
        throw failure('in_use', `${id} belongs to a flow with open tasks`, {
          fix: `See them: hookctl flow show ${workspace.flowId}`,
        });
      }
      return takeDown(workspace, force);
    });
  }

  async function takeDown(workspace: Workspace, force: boolean): Promise<Workspace> {
    const agent = options.agents.get(workspace.agent) ?? null;
    const lines: string[] = [];
    const log = ({ kind, text }: LogLine) =>
      void lines.push(JSON.stringify({ at: new Date(now()).toISOString(), kind, text }));
    const name = `teardown-${workspace.id.slice(-6)}`;
    const sandbox =
      agent === null ? null : await options.sandboxOf(agent, [workspace], { name, log, scratch: null });
    try {
      await takeDownIn(workspace, { force, agent, sandbox, log });
    } finally {
      await sandbox?.close();
      await writeLog(workspace.id, lines);
    }
    return workspace;
  }

  async function takeDownIn(
    workspace: Workspace,
    {
      force,
      agent,
      sandbox,
      log,
    }: Pick<ProgramSteps, 'sandbox' | 'log'> & { readonly force: boolean; readonly agent: Tenant | null },
  ): Promise<void> {
    const { id } = workspace;
    const isUsed = workspace.state !== 'making';
    const unshipped = isUsed ? await unshippedIn(workspace, sandbox) : [];
    if (unshipped.length > 0 && !force) {
      await records.put({ ...workspace, unshipped, usedAt: now() });
      throw failure('unshipped', `${id} holds work that is nowhere else: ${unshipped.join(', ')}`, {
        fix: `Look at it: hookctl workspace open ${id}. Throw it away: hookctl workspace remove ${id} --force`,
      });
    }
    await records.put({ ...workspace, state: 'removing', unshipped });
    if (isUsed) await tearDown(workspace, { agent, sandbox, log });
    await lock([workspace.repository], async () => {
      await fetchBranch(git, workspace).catch((error: Error) => report(error.message));
      await dropCheckout(git, workspace);
    });
    await records.remove(id);
    report(`workspace ${id} was removed`);
  }

  /** A teardown that fails is said, and the workspace goes all the same: it would fail again. */
  async function tearDown(
    workspace: Workspace,
    { agent, sandbox, log }: { readonly agent: Tenant | null } & Pick<ProgramSteps, 'sandbox' | 'log'>,
  ): Promise<void> {
    const runId = `teardown-${workspace.id}`;
    await endMarkedProcesses([markerOf(runId)]);
    if (agent === null) {
      report(
        `workspace ${workspace.id}: its agent ${workspace.agent} is no longer configured, so no teardown ran`,
      );
      return;
    }
    const signal = new AbortController().signal;
    const steps = { agent, sandbox, runId, log, signal, env, secretNames: options.secretNames() };
    await runPrograms('teardown', workspace, steps).catch((error: Error) =>
      report(`workspace ${workspace.id}: ${error.message}`),
    );
  }

  async function writeLog(id: string, lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    await mkdir(options.logFolder, { recursive: true, mode: 0o700 });
    await appendFile(join(options.logFolder, `workspace-${id}.log`), `${lines.join('\n')}\n`, {
      mode: 0o600,
    });
  }

  async function prune(anyAge: boolean): Promise<Pruned> {
    const removed: Workspace[] = [];
    const kept: Workspace[] = [];
    for (const workspace of records.all()) {
      const agent = options.agents.get(workspace.agent);
      const keepFor = agent === undefined ? 0 : workspaceOf(agent.options).keepFor;
      const isDue = anyAge || now() - workspace.usedAt >= keepFor;
      if (!isDue || options.isNeeded(workspace)) continue;
      try {
        removed.push(await remove(workspace.id, false));
      } catch (error) {
        const stays = records.get(workspace.id);
        if (stays !== undefined) kept.push(stays);
        report(error instanceof Error ? error.message : String(error));
      }
    }
    return { removed, kept };
  }

  async function recover(): Promise<void> {
    for (const workspace of records.all()) {
      if (workspace.state === 'making') {
        await lock([workspace.repository], () => dropCheckout(git, workspace));
        await records.remove(workspace.id);
      } else if (workspace.state === 'removing' && !options.isNeeded(workspace)) {
        await lock([workspace.id], () => takeDown(workspace, true)).catch((error: Error) =>
          report(error.message),
        );
      }
    }
  }

  return { lacking, open, list: records.all, remove, prune, recover };
}

/** Bytes on disk below a folder. */
async function bytesOf(env: Environment, folder: string): Promise<number> {
  const text = await printed('du', ['-sk', folder], programEnvironment(env)).catch(() => '0');
  return Number.parseInt(text, 10) * 1024 || 0;
}

function inGb(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GB`;
}
