import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { pause } from '../time.ts';

/** How long the system may take to bury what was killed. */
const PATIENCE_MS = 2_000;
const LOOK_MS = 20;

/**
 * Ends, with SIGKILL, every process of this user that has one of these variables (`NAME=value`) in its environment:
 * also those that left their process group and were adopted by init. Resolves when none is left, at the latest after
 * 2 s, with how many it found. A process that cleared its environment is not found.
 */
export async function endMarkedProcesses(markers: readonly string[]): Promise<number> {
  const found = new Set<number>();
  const never = new AbortController().signal;
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const pids = markers.length === 0 ? [] : await markedProcesses(markers);
    if (pids.length === 0 || performance.now() > deadline) return found.size;
    for (const pid of pids) {
      found.add(pid);
      kill(pid);
    }
    await pause(LOOK_MS, never);
  }
}

/** Those that still run; a process that ended but was not asked for has no environment any more. */
async function markedProcesses(markers: readonly string[]): Promise<readonly number[]> {
  return process.platform === 'linux' ? markedInProc(markers) : markedByPs(markers);
}

async function markedInProc(markers: readonly string[]): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const marked = await Promise.all(
    pids.map(async (pid) => {
      // Of processes of others it can't be read, of those that just ended it is gone.
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      return environment.split('\0').some((entry) => markers.includes(entry)) ? [Number(pid)] : [];
    }),
  );
  return marked.flat();
}

/** macOS has no /proc: `ps` prints the environment behind the arguments, separated by spaces. */
async function markedByPs(markers: readonly string[]): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-Eww', '-A', '-o', 'pid=,command='], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.split('\n').flatMap((line) => {
    const pid = Number(/^\s*(\d+)/.exec(line)?.[1]);
    const isMarked = markers.some((marker) => `${line} `.includes(` ${marker} `));
    return isMarked && pid !== process.pid ? [pid] : [];
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
