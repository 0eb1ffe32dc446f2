import { setTimeout as delay } from 'node:timers/promises';
import { errorCode, unwritable } from './folder.ts';

/** A lock while it is held. */
export interface HeldLock {
  /** Throws when it was taken over (the machine slept for longer than the 10 s after which a lock counts as stale). */
  assertHeld(): void;
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
  const release = await acquire(file, patienceMs, () => {
    taken = true;
  });
  const assertHeld = () => {
    if (taken) throw unwritable('another program took over the lock of the task list');
  };
  try {
    return await work({ assertHeld });
  } finally {
    // A lock that cannot be removed went away with its folder, or becomes stale by itself.
    await release().catch(() => undefined);
  }
}

async function acquire(
  file: string,
  patienceMs: number,
  onCompromised: () => void,
): Promise<() => Promise<void>> {
  const { lock } = await import('proper-lockfile');
  // Not the package's own retries: those also wait for errors that do not pass, such as a read-only folder.
  for (let waited = 0, pause = 5; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      // `realpath: false`: a link planted at `file` would move the lock outside the folder.
      return await lock(file, { realpath: false, onCompromised });
    } catch (error) {
      if (errorCode(error) !== 'ELOCKED' || waited >= patienceMs) throw error;
    }
    await delay(pause);
    waited += pause;
  }
}
