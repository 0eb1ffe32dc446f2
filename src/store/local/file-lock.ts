import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { explained } from './damage.ts';
import { createPrivate, loadSqlite } from './sqlite.ts';

/** A lock that is held until `release`, or until the process dies, however it dies. */
export interface FileLock {
  release(): void;
}

const RETRY_MS = 20;
const SQLITE_BUSY = 5;

/**
 * Takes an exclusive lock on a file made for it, waiting up to `patienceMs`; null when somebody else keeps it. It is
 * SQLite's file lock: the system frees it with the process, also at `kill -9`, so that it is never stale. Throws
 * `store_unusable` where nothing can be written.
 */
export async function lockFile(path: string, patienceMs: number): Promise<FileLock | null> {
  createPrivate(path);
  for (let waited = 0; ; waited += RETRY_MS) {
    const database = tryLock(path);
    if (database !== null) return { release: () => database.close() };
    if (waited >= patienceMs) return null;
    await delay(RETRY_MS);
  }
}

/** Whether somebody holds the lock now. */
export function isLocked(path: string): boolean {
  try {
    const database = tryLock(path);
    database?.close();
    return database === null;
  } catch {
    // Where nothing can be written it can't be tried, and who is named may well hold it.
    return true;
  }
}

function tryLock(path: string): DatabaseSync | null {
  const { DatabaseSync } = loadSqlite();
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    if (isBusy(error)) return null;
    throw explained(error, path);
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
