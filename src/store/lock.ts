import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';

/** Who works on a data folder. */
export interface Holder {
  readonly pid: number;
  /** The hookctl command that holds it: `serve`, `replay`, … */
  readonly command: string;
  readonly version: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Where the server listens, once it does; null for other commands. */
  readonly server: ServerAddress | null;
}

export interface ServerAddress {
  readonly ingressHost: string;
  readonly ingressPort: number;
  readonly managementPort: number;
  readonly publicUrl: string | null;
}

export interface FolderLock {
  /** Says more about the holder, for those who find the lock taken. */
  describe(holder: Holder): void;
  release(): void;
}

export type LockResult =
  | { readonly ok: true; readonly lock: FolderLock }
  | { readonly ok: false; readonly holder: Holder | null };

/** A look by `currentHolder` takes the lock for a moment; who really holds it still does after this. */
const PATIENCE = { attempts: 10, delayMs: 30 };

/**
 * Takes the data folder for this process. The lock is SQLite's exclusive file lock: the system frees it when the
 * process dies, also at `kill -9`, so it is never stale. The JSON beside it only tells who.
 */
export async function lockFolder(dataFolder: string, holder: Holder): Promise<LockResult> {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  for (let attempt = 1; attempt <= PATIENCE.attempts; attempt++) {
    const database = tryLock(dataFolder);
    if (database !== null) return { ok: true, lock: held(dataFolder, database, holder) };
    await delay(PATIENCE.delayMs);
  }
  return { ok: false, holder: readHolder(dataFolder) };
}

function tryLock(dataFolder: string): DatabaseSync | null {
  const database = new DatabaseSync(join(dataFolder, 'serve.lock'), { timeout: 0 });
  try {
    database.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
    return database;
  } catch {
    database.close();
    return null;
  }
}

function held(dataFolder: string, database: DatabaseSync, holder: Holder): FolderLock {
  const path = holderPath(dataFolder);
  const describe = (value: Holder) => writeFileSync(path, JSON.stringify(value), { mode: 0o600 });
  describe(holder);
  return {
    describe,
    release() {
      rmSync(path, { force: true });
      database.close();
    },
  };
}

/** Who holds the folder now; null when nobody does. */
export function currentHolder(dataFolder: string): Holder | null {
  const holder = readHolder(dataFolder);
  return holder !== null && isLocked(dataFolder) ? holder : null;
}

function isLocked(dataFolder: string): boolean {
  const database = new DatabaseSync(join(dataFolder, 'serve.lock'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE; ROLLBACK');
    return false;
  } catch {
    return true;
  } finally {
    database.close();
  }
}

function holderPath(dataFolder: string): string {
  return join(dataFolder, 'serve.json');
}

/** Null when there is none or it is just being written. */
function readHolder(dataFolder: string): Holder | null {
  try {
    return JSON.parse(readFileSync(holderPath(dataFolder), 'utf8')) as Holder;
  } catch {
    return null;
  }
}
