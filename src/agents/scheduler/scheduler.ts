import type { Agent } from '../../config/project/agents.ts';
import { findProgram } from '../../lib/process/find-program.ts';
import { pause } from '../../lib/time.ts';
import type { QueuedTask, RunWait } from '../../store/runs.ts';
import { separateComment } from '../../tasks/comments.ts';
import { syncTasks } from '../../tasks/sync.ts';
import { changeOf, guardedStep } from '../../tasks/transition.ts';
import { ownText } from '../../types/text.ts';
import type { AgentRun, Task } from '../../types.ts';
import { workspaceOf } from '../workspace/settings.ts';
import { actorOf, type SchedulerContext } from './context.ts';
import { createEligibility, nearBudgets, type Verdict } from './eligibility.ts';
import { endRun, interruptedText, recoverRuns } from './ending.ts';
import { refusedRoute, routeOf } from './places.ts';
import { type ActiveRun, pruneRunLogs, runLogPath, runTask } from './run-task.ts';

/** Runs agents on queued tasks: one at a time for each conversation, within limits and budgets. */
export interface Scheduler {
  /** Call it when tasks changed, or something that they wait for. */
  wake(): void;
  /** Looks for runs that a machine has left which is gone. */
  recover(): void;
  /** The runs that have not ended. */
  running(): readonly RunningAgent[];
  /** Starts nothing more; resolves when all runs have ended by themselves. */
  drain(): Promise<void>;
  /** Starts nothing more and ends all runs as interrupted; resolves when their processes are gone. */
  close(): Promise<void>;
}

/** A run, and how long it may take. */
export interface RunningAgent {
  readonly agent: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Queued tasks that a round looks at, oldest first. */
const MOST_QUEUED = 5_000;
/** Some changes cause no wake: budgets become free, entries of the list are given back, programs are installed. */
const POLL_MS = 5_000;
const LONGEST_REST_MS = 500;
/** Between two looks for workspaces that are no longer needed. */
const PRUNE_MS = 60_000;
/** How long logs of runs are kept. */
const LOGS_KEPT_MS = 30 * 24 * 3_600_000;

/** Takes up what an earlier server left running, then runs what is queued. Does nothing where no agent is configured. */
export function startScheduler(context: SchedulerContext): Scheduler {
  const { store, agents, report } = context;
  const active = new Map<string, ActiveRun>();
  const stop = new AbortController();
  const heldScopes = new Set<string>();
  const missingUntil = new Map<string, number>();
  let draining = false;
  let hasLeftRuns = false;
  let wakened = Promise.withResolvers<void>();

  async function round(): Promise<void> {
    stopCancelled();
    stopTakenOver();
    await endUnstarted();
    handOver();
    if (draining) return;
    const queued = agents.byName.size === 0 ? [] : store.queuedTasks([...agents.byName.keys()], MOST_QUEUED);
    const open = new Map(store.openRuns().map((run) => [run.taskId, run]));
    const eligibility = createEligibility({ ...context, now: context.clock.now(), busy });
    const waits: RunWait[] = [];
    for (const task of queued) {
      if (stop.signal.aborted || draining) return;
      const known = open.get(task.id) ?? null;
      // Its run goes on; the task was given back in Claude's list.
      if (known?.state === 'running') continue;
      const eligible = eligibility.verdictOn(task);
      const verdict = eligible.kind === 'start' ? await start(task, known) : eligible;
      eligibility.passed(task, verdict);
      if (verdict.kind === 'start') continue;
      if (verdict.kind === 'held') await tellHeld(task, verdict);
      if (known?.state === verdict.kind && known.reason === verdict.reason) continue;
      waits.push(waitOf(task, known, verdict.kind, verdict.reason));
    }
    const gone = queued.length < MOST_QUEUED ? withoutTask(open, queued) : [];
    if (waits.length + gone.length > 0) await store.noteWaiting(waits, gone);
  }

  function busy() {
    return [...active.values()].map(({ run }) => run);
  }

  function stopCancelled(): void {
    for (const { run, stop: stopRun } of active.values()) {
      const task = store.task(run.taskId);
      if (task?.status !== 'cancelled') continue;
      stopRun({ state: 'cancelled', reason: task.error ?? 'its task was cancelled' });
    }
  }

  /** Ends runs that were taken but not started, because the database went away in between; their tasks are queued again. */
  async function endUnstarted(): Promise<void> {
    const { shared } = store;
    if (shared == null) return;
    for (const run of store.openRuns()) {
      if (run.state !== 'running' || active.has(run.id) || shared.ownerOfRun(run.id) !== 'mine') continue;
      await endRun(context, run, { state: 'interrupted', text: 'the database was away', again: true });
    }
  }

  /** Ends runs that another machine took over while this one gave no sign of life. */
  function stopTakenOver(): void {
    for (const { run, stop: stopRun } of active.values())
      if ((store.shared?.ownerOfRun(run.id) ?? 'mine') !== 'mine')
        stopRun({ state: 'interrupted', reason: 'another machine took it over' });
  }

  /** Ends the runs of conversations that persons work in: each after its turn, or at once. */
  function handOver(): void {
    const attached = new Map(store.attachments().map((each) => [each.conversationId, each]));
    for (const { run, stop: stopRun, stopAfterTurn } of active.values()) {
      const person = attached.get(run.conversationId);
      if (person === undefined) continue;
      const end = person.atOnce ? stopRun : stopAfterTurn;
      end({ state: 'interrupted', reason: `${person.actor} works in its session now`, again: true });
    }
  }

  /** Starts a task; if it can't be started after all, why. */
  async function start(queued: QueuedTask, known: AgentRun | null): Promise<Verdict> {
    const agent = agents.byName.get(queued.agent);
    const task = store.task(queued.id);
    if (agent === undefined || task === null) return later('its agent is not configured');
    const missing = await missingProgram(agent);
    if (missing !== null) return later(`there is no program ${missing}`);
    const claimant = await claimantOf(task);
    if (claimant !== null) return later(`${claimant} has taken it in Claude’s list`);
    const route = routeOf(context, task);
    if (route.kind === 'missing') {
      await tellUnrouted(task, route);
      return later(route.reason);
    }
    const refusal = refusedRoute(context.owners, task, { ...context, route, folder: agent.folder });
    if (refusal !== null) return { kind: 'waiting', reason: refusal, holdsFlow: false };
    const folders = route.kind === 'agent' ? [agent.folder] : route.checkouts.map(({ folder }) => folder);
    const lacking = await context.workspaces.lacking(agent, task.conversationId, folders);
    if (lacking !== null) return later(lacking);
    const away = sessionAway(agent, task);
    if (away !== null) return later(`its session is on ${away}`);
    // A person may have taken the session while this was looked up.
    if (store.attachments().some((each) => each.conversationId === task.conversationId)) {
      return later('a person works in its session');
    }
    const wait = waitOf(queued, known, 'waiting', 'it is started');
    const taken = await takeUnlessElsewhere(agent, task, wait);
    const run = store.run(wait.id);
    if (taken === null || run?.state !== 'running') return later('it is worked on elsewhere');
    heldScopes.clear();
    return begin(agent, run, taken);
  }

  /** The machine that has the session of the task's conversation, unless that has been gone for long; null when it is this one. */
  function sessionAway({ runner, options, name }: Agent, { conversationId }: Task): string | null {
    const key = runner.sessionKey(options, name);
    const found = key === null ? null : (store.shared?.sessionElsewhere(conversationId, key) ?? null);
    return found === null || found.silentMs >= context.limits.takeOverAfter ? null : found.host;
  }

  /** Says once for each task that it waits for a checkout: in its thread without the folders of this machine. */
  async function tellUnrouted(
    { id }: Task,
    { repository, reason }: { readonly repository: string; readonly reason: string },
  ): Promise<void> {
    const scope = `route:${id}`;
    if (heldScopes.has(scope)) return;
    heldScopes.add(scope);
    const text = `✋ \`${id}\` waits: hookctl has no checkout of \`${repository}\`. \`hookctl task show ${id}\` says which line is missing.`;
    if (await giveNotice(context, { id }, { scope, since: 0, text })) report.held(`${id}: ${reason}`);
  }

  /** Looked for again after a while: many tasks may wait for a program that is not there. */
  async function missingProgram({ name, runner, options }: Agent): Promise<string | null> {
    // The program of an image is looked for when the container starts.
    if (options.sandbox?.image !== undefined) return null;
    const program = runner.program(options);
    const now = performance.now();
    if ((missingUntil.get(name) ?? 0) > now) return program;
    if ((await findProgram(program, context.projectFolder, context.env.PATH)) !== null) return null;
    missingUntil.set(name, now + POLL_MS / 2);
    return program;
  }

  /** Null where another machine has a run of the conversation already: one of both is refused. */
  async function takeUnlessElsewhere(agent: Agent, task: Task, wait: RunWait): Promise<Task | null> {
    if (store.shared == null) return take(agent, task, wait);
    const isBusy = store
      .openRuns()
      .some((run) => run.state === 'running' && run.conversationId === task.conversationId);
    return isBusy ? null : take(agent, task, wait).catch(() => null);
  }

  async function take(agent: Agent, task: Task, wait: RunWait): Promise<Task | null> {
    const { runner, options, name, folder } = agent;
    if (guardedStep(context, task, 'start').kind !== 'to') return null;
    const step = { event: 'start', to: 'running' } as const;
    return store.startRun({
      wait,
      folder,
      logPath: runLogPath(context.dataFolder, wait.id),
      sessionKey: runner.sessionKey(options, name),
      reservedUsd: runner.mostUsd(options),
      change: changeOf(context, task, step, { actor: actorOf(name) }),
    });
  }

  async function begin(agent: Agent, run: AgentRun, taken: Task): Promise<Verdict> {
    const [synced = taken] = await syncTasks(context, [taken]);
    // A session may have taken the entry between the look at it and the writing of it.
    const claimant = await claimantOf(synced);
    if (claimant !== null) {
      const text = `${claimant} has taken it in Claude’s list`;
      await endRun(context, run, { state: 'cancelled', text, again: true });
      return later(text);
    }
    const running = runTask(context, agent, run, synced);
    active.set(run.id, running);
    report.run(run);
    // As it was taken: a task that ended while its files were written has been told as ended.
    report.task({ ...synced, status: taken.status });
    void running.ended.then(async () => {
      active.delete(run.id);
      if (workspaceOf(agent.options).use !== 'shared') prune();
      wake();
      await tellNear(run).catch(report.broken);
    });
    return { kind: 'start' };
  }

  /** An owner is no claim where hookctl's own earlier run may have entered it. */
  async function claimantOf(task: Task): Promise<string | null> {
    const ran = store.runsOfTask(task.id).some(({ endedAt }) => endedAt !== null);
    return ran ? null : ((await context.claude.list?.claimant(task)) ?? null);
  }

  async function tellHeld(task: QueuedTask, held: Extract<Verdict, { kind: 'held' }>): Promise<void> {
    if (heldScopes.has(held.scope)) return;
    heldScopes.add(held.scope);
    const { scope, spanMs, reason } = held;
    const text = `✋ ${reason}. What is asked meanwhile is kept and runs when there is budget again.`;
    const since = context.clock.now() - spanMs;
    if (await giveNotice(context, task, { scope, since, text })) report.held(reason);
  }

  /** Tells once of each budget that a run has brought to 80 %. */
  async function tellNear(run: AgentRun): Promise<void> {
    const at = context.clock.now();
    for (const { scope, spanMs, text } of nearBudgets({ ...context, now: at }, run)) {
      if (await store.giveNotice({ scope, since: at - spanMs, at, reply: null })) report.budget(text);
    }
  }

  function waitOf(
    task: QueuedTask,
    known: AgentRun | null,
    state: RunWait['state'],
    reason: string,
  ): RunWait {
    const id = known?.id ?? context.ids.next('run');
    const runner = agents.byName.get(task.agent)?.runner.name ?? '';
    return { id, task, runner, state, reason, at: context.clock.now() };
  }

  async function rounds(): Promise<void> {
    await recoverRuns(context).catch(report.broken);
    await context.workspaces.recover().catch(report.broken);
    await pruneRunLogs(context.dataFolder, context.clock.now() - LOGS_KEPT_MS).catch(report.broken);
    while (!stop.signal.aborted) {
      wakened = Promise.withResolvers();
      if (performance.now() - prunedAt > PRUNE_MS) prune();
      if (hasLeftRuns) {
        hasLeftRuns = false;
        await recoverRuns(context).catch(report.broken);
      }
      const startedAt = performance.now();
      current = round().catch(report.broken);
      await current;
      // No agents are configured: clear old wait records and stop.
      if (agents.byName.size === 0) return;
      // A flood of wakes over thousands of queued tasks leaves the thread to those that answer.
      await pause(Math.min(4 * (performance.now() - startedAt), LONGEST_REST_MS), stop.signal);
      await Promise.race([wakened.promise, pause(POLL_MS, stop.signal)]);
    }
  }

  function wake(): void {
    wakened.resolve();
  }

  /** Removes workspaces that no conversation needs any more, one round at a time. */
  function prune(): void {
    prunedAt = performance.now();
    pruning = pruning.then(async () => void (await context.workspaces.prune(false))).catch(report.broken);
  }

  let prunedAt = Number.NEGATIVE_INFINITY;
  let pruning: Promise<void> = Promise.resolve();
  let current: Promise<void> = Promise.resolve();
  const running = rounds();
  return {
    wake,
    recover() {
      hasLeftRuns = true;
      wake();
    },
    running: () =>
      [...active.values()].map(({ run }) => ({
        agent: run.agent,
        since: run.startedAt ?? run.createdAt,
        timeout: agents.byName.get(run.agent)?.options.timeout ?? 0,
      })),
    async drain() {
      draining = true;
      await current;
      while (active.size > 0) await Promise.all([...active.values()].map(({ ended }) => ended));
    },
    async close() {
      stop.abort();
      await running;
      for (const { run, stop: stopRun } of active.values()) {
        const reason = interruptedText(context, run, 'hookctl was stopped');
        stopRun({ state: 'interrupted', reason });
      }
      await Promise.all([...active.values()].map(({ ended }) => ended));
      await pruning;
    },
  };
}

function later(reason: string): Verdict {
  return { kind: 'waiting', reason, holdsFlow: false };
}

/** Runs that wait although their task does not any more. */
function withoutTask(open: ReadonlyMap<string, AgentRun>, queued: readonly QueuedTask[]): readonly string[] {
  const ids = new Set(queued.map(({ id }) => id));
  return [...open.values()]
    .filter(({ taskId, state }) => state !== 'running' && !ids.has(taskId))
    .map(({ id }) => id);
}

/** Says in the thread of a task why it does not start, once since then for a scope. False: it was said already. */
async function giveNotice(
  { store, ids, clock }: SchedulerContext,
  { id }: Pick<QueuedTask, 'id'>,
  { scope, since, text }: { readonly scope: string; readonly since: number; readonly text: string },
): Promise<boolean> {
  const task = store.task(id);
  const root = task === null ? null : (store.task(task.initiatedTaskId) ?? task);
  const reply = root === null ? null : separateComment(ids, root, ownText(text));
  return store.giveNotice({ scope, since, at: clock.now(), reply });
}
