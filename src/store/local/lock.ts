import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { createPrivate, explained, isBusy, loadSqlite } from './sqlite.ts';

/** A lock that is held until `release`, or until the process dies, however it dies. */
export interface FileLock {
  release(): void;
}

const RETRY_MS = 20;
const DATABASE_PATIENCE_MS = 2_000;
const LOCK = 'pragma locking_mode = exclusive; begin exclusive';

/**
 * Takes an exclusive lock on a file made for it, waiting up to `patienceMs`; null when another process keeps it. It is
 * SQLite's file lock: the system frees it with the process, also at `kill -9`, so that it is never stale. Throws
 * `store_unusable` where nothing can be written.
 */
export async function lockFile(path: string, patienceMs: number): Promise<FileLock | null> {
  createPrivate(path);
  return keepTrying(path, LOCK, patienceMs);
}

/**
 * Waits until no other process has a db open, folds its log into it, and keeps others out until released: one that had it
 * open while it is moved would read, or remove, the log of the db that comes in its place. Null when another process keeps
 * it open. A damaged db, which may be why it is replaced, can't be locked.
 */
export async function closeDatabase(path: string): Promise<FileLock | null> {
  const noLock = { release: () => undefined };
  if (!existsSync(path)) return noLock;
  // Only the last connection may leave WAL.
  const leaveWal = 'pragma journal_mode = delete; begin exclusive';
  return keepTrying(path, leaveWal, DATABASE_PATIENCE_MS).catch(() => noLock);
}

async function keepTrying(path: string, sql: string, patienceMs: number): Promise<FileLock | null> {
  for (let waited = 0; ; waited += RETRY_MS) {
    const database = tryLock(path, sql);
    if (database !== null) return { release: () => database.close() };
    if (waited >= patienceMs) return null;
    await delay(RETRY_MS);
  }
}

function tryLock(path: string, sql: string): DatabaseSync | null {
  const { DatabaseSync } = loadSqlite();
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec(sql);
    return database;
  } catch (error) {
    database?.close();
    if (isBusy(error)) return null;
    throw explained(error, path);
  }
}

/** The process that works on a data folder. */
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
  /** Path of the management API's unix socket, from the data folder. Null when it has no socket. */
  readonly managementSocket: string | null;
  /** That the user named; a tunnel's own is asked of the server. */
  readonly publicUrl: string | null;
  /** Marks requests of our own programs at the ingress: of a relay client, and samples of `hookctl trigger`. */
  readonly relayKey: string;
}

export interface FolderLock extends FileLock {
  /** Writes more about the holder, for processes that find the lock taken. */
  describe(holder: Holder): void;
}

type LockResult =
  | { readonly ok: true; readonly lock: FolderLock }
  | { readonly ok: false; readonly holder: Holder | null };

/** `currentHolder` takes the lock for a moment; a real holder still has it after this time. */
const PATIENCE_MS = 300;
const LOCK_FILE = 'serve.lock';
/** Only names the holder. */
const HOLDER_FILE = 'serve.json';

/** Takes the data folder, which exists, for this process. Throws `store_unusable` where nothing can be written. */
export async function lockFolder(dataFolder: string, holder: Holder): Promise<LockResult> {
  const held = await lockFile(join(dataFolder, LOCK_FILE), PATIENCE_MS);
  if (held === null) return { ok: false, holder: readHolder(dataFolder) };
  const path = join(dataFolder, HOLDER_FILE);
  const describe = (value: Holder) => writeFileSync(path, JSON.stringify(value), { mode: 0o600 });
  const release = () => {
    rmSync(path, { force: true });
    held.release();
  };
  try {
    describe(holder);
  } catch (error) {
    held.release();
    throw explained(error, path);
  }
  return { ok: true, lock: { describe, release } };
}

/** Takes the data folder for a moment; null when another process has it, or where nothing can be written. */
export function tryLockFolder(dataFolder: string): FileLock | null {
  const path = join(dataFolder, LOCK_FILE);
  try {
    createPrivate(path);
    const database = tryLock(path, LOCK);
    return database === null ? null : { release: () => database.close() };
  } catch {
    return null;
  }
}

/** The process that holds the folder now; null when none does. */
export function currentHolder(dataFolder: string): Holder | null {
  const holder = readHolder(dataFolder);
  const path = join(dataFolder, LOCK_FILE);
  if (holder === null || !existsSync(path)) return null;
  try {
    const lock = tryLock(path, LOCK);
    lock?.close();
    return lock === null ? holder : null;
  } catch {
    // Where nothing can be written, the lock can't be tried, and the named process may well hold it.
    return holder;
  }
}

/** Null when there is none or it is just being written. */
function readHolder(dataFolder: string): Holder | null {
  try {
    return JSON.parse(readFileSync(join(dataFolder, HOLDER_FILE), 'utf8')) as Holder;
  } catch {
    return null;
  }
}
