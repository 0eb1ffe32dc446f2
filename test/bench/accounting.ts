import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Programs, Start } from './programs.ts';

/** CPU time since a process began, user and system, in microseconds, from the kernel's accounting. */
export interface Cpu {
  /** All threads, those that ended too, and children that ended. */
  readonly total: number;
  readonly main: number;
  /** Node's worker threads: hookctl has one, which writes the store. */
  readonly writer: number;
}

/** The unit of /proc: `USER_HZ`, which is 100 on every Linux that Node runs on. */
const TICK_US = 10_000;
const QUIET_MS = 300;
const PATIENCE_MS = 10_000;

/** Whether the system has the accounting that these functions read. */
export const HAS_PROC = existsSync('/proc/self/task');
export const NO_PROC = 'there is no /proc';

export function cpuOf(pid: number): Cpu {
  const threads = readdirSync(`/proc/${pid}/task`).flatMap((id) => {
    try {
      const { name, own } = readStat(`/proc/${pid}/task/${id}/stat`);
      return [{ isMain: Number(id) === pid, isWorker: name.startsWith('WorkerThread'), own }];
    } catch {
      // It ended meanwhile.
      return [];
    }
  });
  const sum = (of: typeof threads) => of.reduce((all, { own }) => all + own, 0);
  const { own, children } = readStat(`/proc/${pid}/stat`);
  return {
    total: own + children,
    main: sum(threads.filter(({ isMain }) => isMain)),
    writer: sum(threads.filter(({ isWorker }) => isWorker)),
  };
}

/** The CPU time once the process rests, so that what it does behind its answers counts. */
export async function restingCpuOf(pid: number): Promise<Cpu> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let before = cpuOf(pid).total; performance.now() < deadline; ) {
    await delay(QUIET_MS);
    const now = cpuOf(pid);
    // The timers of a server that rests may make a tick full.
    if (now.total - before <= TICK_US) return now;
    before = now.total;
  }
  return cpuOf(pid);
}

function readStat(path: string): { name: string; own: number; children: number } {
  const text = readFileSync(path, 'utf8');
  const end = text.lastIndexOf(')');
  // proc(5): after the name come the state (field 3) and, as 14 to 17, utime, stime, cutime and cstime.
  const fields = text.slice(end + 2).split(' ');
  const ticks = (field: number) => Number(fields[field - 3]) * TICK_US;
  return {
    name: text.slice(text.indexOf('(') + 1, end),
    own: ticks(14) + ticks(15),
    children: ticks(16) + ticks(17),
  };
}

/** Resident memory, in megabytes. */
export function residentOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}

/** The highest resident memory while something is done, in megabytes; null without /proc. */
export async function highestResident(pid: number, work: () => Promise<unknown>): Promise<number | null> {
  if (!HAS_PROC) {
    await work();
    return null;
  }
  let highest = 0;
  const look = () => {
    highest = Math.max(highest, residentOf(pid));
  };
  const timer = setInterval(look, 50);
  try {
    await work();
    look();
    return highest;
  } finally {
    clearInterval(timer);
  }
}

/** CPU time of a command from its start to its end, in milliseconds. Throws when it fails. */
export async function cpuOfCommand(programs: Programs, start: Start): Promise<number> {
  // /proc counts in steps of 10 ms, which is half of what `node -e 0` takes; bash asks the kernel for more digits.
  const command = ['bash', '-c', 'TIMEFORMAT="%3U %3S"; time "$@"', 'bash', ...start.command];
  const { code, stdout, stderr } = await programs.run({ ...start, command });
  if (code !== 0) throw new Error(`${start.command.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  const [user = Number.NaN, system = Number.NaN] = (stderr.trim().split('\n').at(-1) ?? '')
    .split(' ')
    .map(Number);
  return (user + system) * 1_000;
}
