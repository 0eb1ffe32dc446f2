import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Agent } from '../../config/project/agents.ts';
import type { Prices } from '../../config/project/schema.ts';
import { HookctlError } from '../../errors.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { RunNote } from '../../store/runs.ts';
import { isStoreAway, whenBack } from '../../store/shared.ts';
import { separateComment } from '../../tasks/comments.ts';
import { foreignText } from '../../types/text.ts';
import type { AgentRun, ModelTokens, Task } from '../../types.ts';
import { promptFor } from '../environment.ts';
import type { CommonOptions, LogLine, RunIo, RunOrder, StartedRun } from '../runner.ts';
import type { Room } from '../workspace/room.ts';
import type { SchedulerContext } from './context.ts';
import { type Ended, endRun, makeScratch } from './ending.ts';
import { placesOf } from './places.ts';

/** Why hookctl ends a run, and the state that it gets. */
interface Stop {
  readonly state: 'cancelled' | 'interrupted';
  readonly reason: string;
  /** Its task is queued again, whatever the agent's settings say of interrupted runs. */
  readonly again?: true;
}

/** A run of this process that has not ended. */
export interface ActiveRun {
  readonly run: AgentRun;
  /** Resolves when its end is stored and its processes are gone. */
  readonly ended: Promise<void>;
  stop(stop: Stop): void;
  /** Stops it when the agent has finished the turn in which it is: it has said or done something. */
  stopAfterTurn(stop: Stop): void;
}

/** Between two lines of progress of one run. */
const PROGRESS_MS = 10_000;
/** Of one line in the log, in characters. */
const LONGEST_TEXT = 20_000;

/** Runs an agent on a task that was taken for it, and stores the result. */
export function runTask(context: SchedulerContext, agent: Agent, run: AgentRun, task: Task): ActiveRun {
  let stopped: Stop | null = null;
  let afterTurn: Stop | null = null;
  let started: StartedRun | null = null;
  const stopping = new AbortController();

  async function whole(): Promise<void> {
    const ended = await work().catch((error: unknown): Ended => {
      if (isStoreAway(error)) return { state: 'interrupted', text: 'the database was away', again: true };
      // A program that is missing, a folder that is gone: the task fails. Anything else is told as well.
      if (!(error instanceof HookctlError)) context.report.broken(error);
      return { state: 'failed', text: error instanceof Error ? error.message : String(error) };
    });
    // What was completed before it could be interrupted counts as that.
    const cut = stopped?.state === 'interrupted' && ended.state === 'completed' ? null : stopped;
    const { state, reason } = cut ?? { state: ended.state, reason: context.redact(ended.text) };
    const retryAt =
      cut === null && ended.cause === 'rate_limited' ? await whenBack(() => retryTime(context, run)) : null;
    const again =
      retryAt !== null ||
      (state === 'interrupted' &&
        (agent.options.rerunOnCrash || cut?.again === true || ended.again === true));
    const text =
      retryAt === null ? reason : `${reason}; it is tried again at ${new Date(retryAt).toISOString()}`;
    await endRun(context, run, { ...ended, state, text, again, retryAt });
  }

  async function work(): Promise<Ended> {
    const file = await openRunLog(run.logPath ?? '', context.clock.now);
    const log = logging(context, run, file.add);
    const scratch = await makeScratch(run.id);
    let room: Room | null = null;
    try {
      const notes = notesOf(context, run, log);
      const session = sessionOf(context, agent, run);
      const before = session === null ? null : context.store.sessionFolder(session);
      const places = await placesOf(context, agent, task, before);
      const wanted = { agent, run, task, scratch, log, signal: stopping.signal };
      room = await context.workspaces.open({ ...wanted, places, before });
      // Before the agent can open a pull request from its branch.
      await notes.room(room);
      const order = await orderFor(context, agent, run, task, { scratch, log, room, session });
      started = await agent.runner.start(order, {
        ...notes.io,
        log(line) {
          log(line);
          if (afterTurn !== null && (line.kind === 'said' || line.kind === 'did')) stop(afterTurn);
        },
      });
      if (stopped !== null) started.stop(stopped.reason);
      const result = await started.result;
      await notes.written();
      const unshipped = await room.leave();
      // The result itself was said before; why it failed was not.
      const why = result.state === 'failed' ? `: ${context.redact(result.text)}` : '';
      file.add({ kind: 'note', text: `${result.state}${why}` });
      if (unshipped.length === 0) return result;
      await sayUnshipped(context, run, unshipped);
      return { ...result, text: `${result.text}\n\n${unshippedText(unshipped)}` };
    } finally {
      await room?.close();
      context.environments.close(run);
      await file.close();
      await rm(scratch, { recursive: true, force: true });
    }
  }

  function stop(why: Stop): void {
    stopped ??= why;
    stopping.abort();
    started?.stop(stopped.reason);
  }

  return {
    run,
    ended: whole().catch(context.report.broken),
    stop,
    stopAfterTurn(why) {
      afterTurn ??= why;
    },
  };
}

/** Of the wait after a rate limit, in milliseconds. */
const LONGEST_WAIT_MS = 30 * 60_000;

/** When a run that a rate limit ended is tried again; null when it was tried often enough. */
function retryTime({ store, limits, clock }: SchedulerContext, run: AgentRun): number | null {
  const { tries, wait } = limits.rateLimit;
  const earlier = store.runsOfTask(run.taskId).filter(({ id }) => id !== run.id);
  const others = earlier.findLastIndex(({ retryAt }) => retryAt === null);
  const tried = earlier.length - 1 - others;
  return tried >= tries ? null : clock.now() + Math.min(wait * 2 ** tried, LONGEST_WAIT_MS);
}

/** Work that is nowhere but in a workspace belongs into the result: a reader would take it for done. */
function unshippedText(unshipped: readonly string[]): string {
  return `Not shipped, on this machine alone: ${unshipped.join(', ')}.`;
}

/** Where the agent has completed its task by its own tools, the result is posted already: a comment follows it. */
async function sayUnshipped(
  { store, ids, clock, redact }: SchedulerContext,
  { taskId }: AgentRun,
  unshipped: readonly string[],
): Promise<void> {
  const task = store.task(taskId);
  if (task?.status !== 'completed') return;
  const text = foreignText(redact(`⚠️ ${unshippedText(unshipped)}`));
  const comment = separateComment(ids, store.task(task.initiatedTaskId) ?? task, text);
  if (comment !== null) await store.addComment(comment.item, comment.deliveryId, clock.now());
}

/** The session that a run continues; null when it begins one. */
function sessionOf(
  { store }: SchedulerContext,
  { runner, options, name }: Agent,
  run: AgentRun,
): string | null {
  const key = runner.sessionKey(options, name);
  return key === null ? null : store.lastSession(run.conversationId, key);
}

async function orderFor(
  context: SchedulerContext,
  { options }: Agent,
  run: AgentRun,
  task: Task,
  {
    scratch,
    log,
    room,
    session,
  }: Pick<RunOrder<CommonOptions>, 'scratch' | 'session'> & Pick<RunIo, 'log'> & { readonly room: Room },
): Promise<RunOrder<CommonOptions>> {
  const { projectFolder, dataFolder, env, store } = context;
  const taskList = context.taskListOf(task.owner);
  const { folder, sandbox } = room;
  const { folder: own, checkouts } = room;
  return {
    ...{ run, task, options, folder, sandbox, scratch, projectFolder, dataFolder, taskList },
    env: sandbox?.env ?? env,
    prompt: promptFor(task, room),
    checkouts,
    otherFolders: checkouts.map((each) => each.folder).filter((each) => each !== own),
    secretNames: context.secretNames(),
    session,
    meter: session === null ? [] : store.sessionMeter(session),
    priceOf: (tokens) => priceOf(context.prices, options, tokens),
    environment: await context.environments.open(run, task, log),
  };
}

/** What tokens cost, in dollars; null when a model has no price. `anthropic/claude-5` also has that of `claude-5`. */
function priceOf(
  prices: Prices,
  { model: wanted }: CommonOptions & { readonly model?: string },
  tokens: readonly ModelTokens[],
): number | null {
  let usd = 0;
  for (const { model, input, cached, cacheWrite, output } of tokens) {
    const name = model ?? wanted ?? '';
    const price = prices[name] ?? prices[name.slice(name.lastIndexOf('/') + 1)];
    if (price === undefined) return null;
    const { cachedInput = price.input, cacheWrite: written = price.input } = price;
    usd += (input * price.input + cached * cachedInput + cacheWrite * written + output * price.output) / 1e6;
  }
  return usd;
}

/** Ids of sessions become arguments of programs. */
const SESSION_ID = /^[A-Za-z0-9_][A-Za-z0-9_-]{7,127}$/;

/** Stores facts of a run in their order; the run does not wait for these writes. */
function notesOf({ store, report }: SchedulerContext, run: AgentRun, log: RunIo['log']) {
  let writing: Promise<void> = Promise.resolve();
  const note = (facts: RunNote) => {
    writing = writing.then(() => store.noteRun(run.id, facts)).catch(report.broken);
  };
  const io: Omit<RunIo, 'log'> = {
    started: (pid, commandLine) => note({ pid, commandLine }),
    session(sessionId, openWith) {
      if (SESSION_ID.test(sessionId)) note({ sessionId, openWith });
      else log({ kind: 'note', text: `its session has no usable id: ${escapeInvisibleLine(sessionId)}` });
    },
  };
  return {
    io,
    room({ folder, branch }: Room): Promise<void> {
      // By a branch that hookctl named a pull request is known for that of the run's flow.
      const isOwn = branch?.startsWith('hookctl-') === true;
      if (folder !== run.folder || isOwn) note({ folder, ...(isOwn && { branch }) });
      return writing;
    },
    written: () => writing,
  };
}

function logging(
  { clock, report, redact }: SchedulerContext,
  run: AgentRun,
  add: (line: LogLine) => void,
): RunIo['log'] {
  let shownAt = clock.now();
  return ({ kind, text }) => {
    const line = { kind, text: redact(text.slice(0, LONGEST_TEXT)) };
    add(line);
    if (clock.now() - shownAt < PROGRESS_MS) return;
    shownAt = clock.now();
    report.progress(run, line.text);
  };
}

/** Bytes of a log; the rest of a longer one is left out. */
const MOST_BYTES = 5_000_000;

/** What a run says and does, as JSON lines: `{ at, kind, text }`. */
interface RunLog {
  add(line: LogLine): void;
  /** Resolves when everything is in the file. */
  close(): Promise<void>;
}

/** Where the log of a run is written. */
export function runLogPath(dataFolder: string, runId: string): string {
  return join(dataFolder, 'runs', `${runId}.log`);
}

/** Removes logs that were last written to before then. */
export async function pruneRunLogs(dataFolder: string, before: number): Promise<void> {
  const folder = join(dataFolder, 'runs');
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const path = join(folder, name);
    const stats = await stat(path).catch(() => null);
    if (stats !== null && stats.mtimeMs < before) await rm(path, { force: true });
  }
}

/** Removes the logs of runs whose tasks are gone. */
export async function removeRunLogs(
  dataFolder: string,
  runs: readonly { readonly id: string }[],
): Promise<void> {
  for (const { id } of runs) await rm(runLogPath(dataFolder, id), { force: true });
}

async function openRunLog(path: string, now: () => number): Promise<RunLog> {
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
  let bytes = 0;
  // A full disk must not end the run: its result is in the store.
  stream.on('error', () => undefined);
  const write = ({ kind, text }: LogLine) => {
    const line = `${JSON.stringify({ at: new Date(now()).toISOString(), kind, text })}\n`;
    bytes += Buffer.byteLength(line);
    stream.write(line);
  };
  return {
    add(line) {
      if (bytes > MOST_BYTES) return;
      write(line);
      if (bytes > MOST_BYTES) write({ kind: 'note', text: `the log ends here: over ${MOST_BYTES / 1e6} MB` });
    },
    close: () => new Promise((resolve) => stream.end(resolve)),
  };
}
