import { endMarkedProcesses } from '../lib/process/marked-processes.ts';
import { type ProcessEnd, startProcess } from '../lib/process/subprocess.ts';
import { markerOf } from './environment.ts';
import type { CommandLine, RunOrder } from './runner.ts';
import { GRACE_MS } from './settings.ts';

/** The part of an order that says where the program runs, and within which limits. */
interface BoundedOrder extends Pick<RunOrder<unknown>, 'folder' | 'sandbox'> {
  readonly run: { readonly id: string };
  /** `timeout` in milliseconds. */
  readonly options: { readonly timeout: number; readonly outputMb: number };
}

interface BoundedOptions extends Omit<CommandLine, 'folder'> {
  readonly input?: Uint8Array;
  readonly howToGet: string;
  readonly longestLine?: number;
  readonly onLine: (line: string, stream: 'stdout' | 'stderr') => void;
}

export interface BoundedEnd extends ProcessEnd {
  /** Why hookctl ended it; null when it ended by itself. */
  readonly why: string | null;
  readonly lastLines: readonly string[];
}

/** A program within its limits. */
export interface Bounded {
  readonly pid: number;
  /** Resolves when nothing is left of it: no process, no open pipe. */
  readonly ended: Promise<BoundedEnd>;
  stop(reason: string): void;
}

/**
 * Starts a program, in the run's sandbox where it has one. It is ended, with all it started, at its time limit, above its
 * output limit, and when it ends by itself. Rejects with `program_missing`.
 */
export async function startBounded(
  { run, folder, sandbox, options: { timeout, outputMb } }: BoundedOrder,
  options: BoundedOptions,
): Promise<Bounded> {
  const { program, args, env, input, longestLine } = options;
  const plain = { program, args, env, folder };
  const command = sandbox === null ? plain : await sandbox.enter(plain);
  let why: string | null = null;
  let output = 0;
  const running = await startProcess({
    program: command.program,
    args: command.args,
    env: command.env,
    cwd: command.folder,
    howToGet: options.howToGet,
    graceMs: GRACE_MS,
    ...(sandbox !== null && { terminate: sandbox.terminate }),
    ...(input !== undefined && { input }),
    ...(longestLine !== undefined && { longestLine }),
    onLine: (line, stream) => {
      if (why === null) options.onLine(line, stream);
    },
    onOutput(bytes) {
      output += bytes;
      if (output > outputMb * 1e6) stop(`it printed more than ${outputMb} MB`);
    },
  });
  function stop(reason: string): void {
    if (why !== null) return;
    why = reason;
    void running.stop();
  }
  const timer = setTimeout(() => stop(`it took longer than ${inWords(timeout)}`), timeout);

  async function wholeEnd(): Promise<BoundedEnd> {
    const end = await running.ended;
    clearTimeout(timer);
    // Also when it ended by itself: what it left in its group goes with it, and what has left the group.
    await running.stop();
    await endMarkedProcesses([markerOf(run.id)]);
    return { ...end, why, lastLines: running.lastLines() };
  }
  return { pid: running.pid, ended: wholeEnd(), stop };
}

function inWords(ms: number): string {
  const seconds = ms / 1000;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}
