import { mkdirSync, rmdirSync, statSync, utimesSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode, unwritable } from './folder.ts';

/** A lock while it is held. */
export interface HeldLock {
  /** Throws when it was taken over (the machine slept for longer than the 10 s after which a lock counts as stale). */
  assertHeld(): void;
  /** Another program held it when it was asked for. */
  readonly wasWaitedFor: boolean;
}

const LONGEST_PAUSE_MS = 50;

/**
 * Runs `work` under Claude Code's lock of a file: the directory `<file>.lock`, refreshed every 5 s, stale after 10 s
 * (npm proper-lockfile, which Claude Code itself uses). Rejects with the code ELOCKED when the lock is still held by
 * another after `patienceMs`. The package hooks into process signals, so it is loaded only when first needed.
 */
export async function withLock<T>(
  file: string,
  patienceMs: number,
  work: (lock: HeldLock) => Promise<T>,
): Promise<T> {
  let taken = false;
  const { release, wasWaitedFor } = await acquire(file, patienceMs, () => {
    taken = true;
  });
  const assertHeld = () => {
    if (taken) throw unwritable('another program took over the lock of the task list');
  };
  try {
    return await work({ assertHeld, wasWaitedFor });
  } finally {
    // A lock that cannot be removed went away with its folder, or becomes stale by itself.
    await release().catch(() => undefined);
  }
}

interface Acquired {
  readonly release: () => Promise<void>;
  readonly wasWaitedFor: boolean;
}

type Callback = (error: unknown, value?: unknown) => void;

/** What the package does with files, without leaving the thread: each call takes less time than the way to another one. */
const AT_ONCE = {
  mkdir: (path: string, done: Callback) => atOnce(() => mkdirSync(path), done),
  stat: (path: string, done: Callback) => atOnce(() => statSync(path), done),
  rmdir: (path: string, done: Callback) => atOnce(() => rmdirSync(path), done),
  utimes: (path: string, atime: Date, mtime: Date, done: Callback) =>
    atOnce(() => utimesSync(path, atime, mtime), done),
  rmdirSync,
};

function atOnce(call: () => unknown, done: Callback): void {
  let value: unknown;
  try {
    value = call();
  } catch (error) {
    done(error);
    return;
  }
  done(null, value);
}

let locking: Promise<typeof import('proper-lockfile')> | null = null;

async function acquire(file: string, patienceMs: number, onCompromised: () => void): Promise<Acquired> {
  locking ??= import('proper-lockfile');
  const { lock } = await locking;
  // Not the package's own retries: those also wait for errors that do not pass, such as a read-only folder.
  for (let waited = 0, pause = 5; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      // `realpath: false`: a link planted at `file` would move the lock outside the folder.
      const release = await lock(file, { realpath: false, onCompromised, fs: AT_ONCE });
      return { release, wasWaitedFor: waited > 0 };
    } catch (error) {
      if (errorCode(error) !== 'ELOCKED' || waited >= patienceMs) throw error;
    }
    await delay(pause);
    waited += pause;
  }
}
