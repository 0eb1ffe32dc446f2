import { resolve } from 'node:path';
import { describeEnd, type Environment } from '../lib/process/subprocess.ts';
import { shellQuote } from '../lib/shell-quote.ts';
import { escapeInvisibleLine } from '../lib/text/escape-invisible.ts';
import { type ModelTokens, NO_USAGE, type RunCause } from '../types.ts';
import { type Bounded, type BoundedEnd, startBounded } from './bounded.ts';
import type { CommonOptions, RunIo, RunOrder, RunResult, StartedRun } from './runner.ts';

/** One event is one line, and holds whole files that were read. */
const LONGEST_LINE = 20_000_000;

/** Lines that are shown when it fails. */
const PRINTED_LINES = 20;

/** Reads what one start of a program prints, and says what it came to. */
export interface Transcript {
  /** Takes a line, and logs what it says. False: it is no event, but a message for people. */
  line(line: string, stream: 'stdout' | 'stderr'): boolean;
  /** Tokens of this run so far, of a program whose output says them only when it ends; asked every now and then. */
  spent?(): Promise<readonly ModelTokens[]>;
  /** Asked once the program has ended. Null when it printed no result. */
  outcome(end: BoundedEnd): Outcome | null | Promise<Outcome | null>;
}

/** What a program says that a run came to. */
export type Outcome = Pick<RunResult, 'text' | 'cause' | 'meter'> & {
  readonly failed: boolean;
  readonly usage?: RunResult['usage'];
  readonly denials?: RunResult['denials'];
};

/** A program that keeps sessions and prints events, one JSON object a line. */
interface SessionProgram {
  /** As messages call it: `Claude Code`. */
  readonly title: string;
  /** How the agent's settings name the program. */
  readonly program: string;
  readonly howToGet: string;
  readonly env: Environment;
  /** `resumed`: the session to continue, null for a new one. */
  readonly args: (resumed: string | null) => readonly string[] | Promise<readonly string[]>;
  readonly transcript: (start: Start) => Transcript;
  /** Matches the line by which the program says that the session to continue is gone. */
  readonly lost: RegExp;
  /** Above it `spent` of the transcript ends the run. */
  readonly budgetUsd?: number | undefined;
}

/** What a transcript knows of the start whose output it reads. */
export interface Start {
  readonly resumed: string | null;
  readonly log: RunIo['log'];
  /** Ends the program, such as above a budget. */
  readonly stop: (reason: string) => void;
}

interface Ended extends BoundedEnd {
  readonly outcome: Outcome | null;
  /** The last lines that were no events: complaints. */
  readonly printed: readonly string[];
  /** The session that was to be resumed is gone. */
  readonly lost: boolean;
}

/** Runs a program in the conversation's session, and in a new one where that session is gone. */
export async function runInSession(
  order: RunOrder<CommonOptions>,
  io: RunIo,
  spec: SessionProgram,
): Promise<StartedRun> {
  const { session } = order;
  const program = programPath(order, spec.program);
  let stopped: string | null = null;
  let current = await startOnce(session);

  async function startOnce(resumed: string | null): Promise<{ running: Bounded; ended: Promise<Ended> }> {
    const args = await spec.args(resumed);
    let lost = false;
    const printed: string[] = [];
    const stop = (reason: string) => running.stop(reason);
    const transcript = spec.transcript({ resumed, log: io.log, stop });
    const running = await startBounded(order, {
      ...{ program, args, env: spec.env, howToGet: spec.howToGet },
      input: Buffer.from(order.prompt),
      longestLine: LONGEST_LINE,
      onLine(line, stream) {
        if (transcript.line(line, stream)) return;
        lost ||= spec.lost.test(line);
        printed.push(escapeInvisibleLine(line));
        if (printed.length > PRINTED_LINES) printed.shift();
        io.log({ kind: 'output', text: line });
      },
    });
    io.started(running.pid, [program, ...args]);
    const unwatch = watchBudget(order, spec, transcript, stop);
    const ended = running.ended.then(async (end) => {
      unwatch();
      return { ...end, printed, lost, outcome: await transcript.outcome(end) };
    });
    return { running, ended };
  }

  async function wholeResult(): Promise<RunResult> {
    const first = await current.ended;
    // Claude Code and gemini also print a result that says so.
    const isLost = first.lost && first.outcome?.failed !== false;
    if (session === null || stopped !== null || !isLost) return resultOf(program, first);
    io.log({ kind: 'note', text: `${spec.title} no longer has session ${session}: a new one is started` });
    current = await startOnce(null);
    if (stopped !== null) current.running.stop(stopped);
    const result = resultOf(program, await current.ended);
    return { ...result, text: `${result.text}\n\n(The earlier session was gone, so this one started anew.)` };
  }
  return {
    result: wholeResult(),
    stop(reason) {
      stopped ??= reason;
      current.running.stop(reason);
    },
  };
}

/** Between two looks at what a run has used, in milliseconds. */
const LOOK_MS = 1_000;

/** Ends a run above its budget; returns a function that ends the watch. */
function watchBudget(
  { priceOf }: Pick<RunOrder<unknown>, 'priceOf'>,
  { budgetUsd }: Pick<SessionProgram, 'budgetUsd'>,
  transcript: Transcript,
  stop: (reason: string) => void,
): () => void {
  if (budgetUsd === undefined || transcript.spent === undefined) return () => undefined;
  let isLooking = false;
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    const usd = priceOf((await transcript.spent?.()) ?? []) ?? 0;
    isLooking = false;
    if (usd > budgetUsd) stop(overBudget(usd, budgetUsd));
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  return () => clearInterval(timer);
}

export function overBudget(usd: number, budgetUsd: number): string {
  return `it cost $${usd.toFixed(2)}, its budget is $${budgetUsd}`;
}

/** The program to start: a path starts at the project folder. */
export function programPath(
  { projectFolder }: Pick<RunOrder<unknown>, 'projectFolder'>,
  program: string,
): string {
  return program.includes('/') ? resolve(projectFolder, program) : program;
}

/** The line that continues something by hand: in this folder, with these variables, where they are set. */
export function byHand(folder: string, env: Environment, words: readonly string[]): string {
  const set = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}=${shellQuote(value)} `,
  );
  return `cd ${shellQuote(folder)} && ${set.join('')}${words.map(shellQuote).join(' ')}`;
}

/** Why a program failed, by how it ended: 143 and 137 are statuses of shells for SIGTERM and SIGKILL. */
export function causeOfEnd({ why, code, signal }: Pick<BoundedEnd, 'why' | 'code' | 'signal'>): RunCause {
  if (why !== null) return 'stopped';
  return signal !== null || code === 143 || code === 137 ? 'killed' : 'failed';
}

function resultOf(program: string, { outcome, why, printed, code, signal }: Ended): RunResult {
  const { usage = NO_USAGE, denials = [], meter } = outcome ?? {};
  const exit = { exitCode: code, signal, usage, denials, ...(meter !== undefined && { meter }) };
  const failed = (text: string, cause: RunCause): RunResult => ({
    ...{ state: 'failed', text, cause },
    ...exit,
  });
  const how = describeEnd(program, { code, signal }, printed);
  const cause = causeOfEnd({ why, code, signal });
  if (why !== null) return failed(`${program} was stopped: ${why}`, cause);
  if (outcome === null) return failed(`it ended without a result: ${how}`, cause);
  if (outcome.failed)
    return failed(outcome.text || `it ended without a result: ${how}`, outcome.cause ?? cause);
  if (code !== 0) return failed(how, cause);
  return { state: 'completed', text: outcome.text.trim() || 'Done.', ...exit };
}
