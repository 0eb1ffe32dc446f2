import { endMarkedProcesses } from '../lib/process/marked-processes.ts';
import { type Environment, type ProcessEnd, startProcess } from '../lib/process/subprocess.ts';
import { markerOf } from './environment.ts';
import { GRACE_MS } from './settings.ts';

interface BoundedOptions {
  readonly runId: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Environment;
  readonly folder: string;
  readonly input?: Uint8Array;
  readonly howToGet: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly outputMb: number;
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
 * Starts a program that is ended, with all it started, at its time limit, above its output limit, and when it ends by
 * itself. Rejects with `program_missing`.
 */
export async function startBounded(options: BoundedOptions): Promise<Bounded> {
  const { runId, timeout, outputMb, input, longestLine } = options;
  let why: string | null = null;
  let output = 0;
  const running = await startProcess({
    program: options.program,
    args: options.args,
    env: options.env,
    cwd: options.folder,
    howToGet: options.howToGet,
    graceMs: GRACE_MS,
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
    await endMarkedProcesses([markerOf(runId)]);
    return { ...end, why, lastLines: running.lastLines() };
  }
  return { pid: running.pid, ended: wholeEnd(), stop };
}

function inWords(ms: number): string {
  const seconds = ms / 1000;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}
