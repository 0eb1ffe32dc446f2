import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { FileLock } from './lock.ts';
import { loadSqlite } from './sqlite.ts';

const PATIENCE_MS = 2_000;
const RETRY_MS = 50;
const SQLITE_BUSY = 5;

/**
 * Waits until no process has the db open, folds its log into it, and keeps others out until released: who still had it
 * open when it is moved would read, or remove, the log of the db that comes in its place. Null when somebody keeps it
 * open. A damaged db, which may be why it is replaced, can't be kept.
 */
export async function closedDatabase(path: string): Promise<FileLock | null> {
  if (!existsSync(path)) return { release: () => undefined };
  for (let waited = 0; ; waited += RETRY_MS) {
    const lock = tryAlone(path);
    if (lock !== 'busy') return lock;
    if (waited >= PATIENCE_MS) return null;
    await delay(RETRY_MS);
  }
}

function tryAlone(path: string): FileLock | 'busy' {
  const { DatabaseSync } = loadSqlite();
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    // Only the last one that has it open may leave WAL.
    db.exec('pragma journal_mode = delete; begin exclusive');
    return { release: () => db.close() };
  } catch (error) {
    db.close();
    const busy = error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
    return busy ? 'busy' : { release: () => undefined };
  }
}
