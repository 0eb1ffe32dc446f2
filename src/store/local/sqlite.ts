import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { failure, messageOf } from '../../errors.ts';

/** Primary result codes of SQLite (sqlite.org/rescode.html); the upper bits of an extended one say more. */
const CODES: Readonly<Record<number, 'damaged' | 'unusable'>> = {
  8: 'unusable', // SQLITE_READONLY
  10: 'unusable', // SQLITE_IOERR
  11: 'damaged', // SQLITE_CORRUPT
  13: 'unusable', // SQLITE_FULL
  14: 'unusable', // SQLITE_CANTOPEN
  26: 'damaged', // SQLITE_NOTADB
};
const PRIMARY = 0xff;
/** Codes of the file system for missing rights or room. */
const ERRNO = ['EACCES', 'EDQUOT', 'EIO', 'ENOSPC', 'EPERM', 'EROFS'];

const SQLITE_BUSY = 5;

/** Whether SQLite failed because another connection holds the lock that it needs. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}

const PUT_BACKUP =
  'Stop hookctl and put a backup in its place: `hookctl restore <folder>`. Keep the damaged one, too.';

/**
 * An error of SQLite or of the file system with what a user can do about it: `store_damaged` when the file is not what SQLite
 * wrote, `store_unusable` when disk or rights are in the way. Returns any other error as it is.
 */
export function explained(error: unknown, path: string): unknown {
  switch (kindOf(error)) {
    case 'damaged':
      return failure(
        'store_damaged',
        `${path} is damaged (${messageOf(error)}). Nothing was changed in it.`,
        {
          fix: PUT_BACKUP,
          cause: error,
        },
      );
    case 'unusable':
      return failure('store_unusable', `${path} can't be used: ${messageOf(error)}.`, {
        fix: 'See that its disk has room and that you may write there, or choose another folder with HOOKCTL_HOME.',
        cause: error,
      });
    default:
      return error;
  }
}

/** The same for an error of the file system that names a file of this folder; returns any other as it is. */
export function explainedWithin(error: unknown, folder: string): unknown {
  const isWithin = error instanceof Error && 'path' in error && `${error.path}`.startsWith(folder + sep);
  return isWithin ? explained(error, folder) : error;
}

/** What a user should know when a write failed for this reason, in SQLite's words; null when the file is not damaged. */
export function damageOf(reason: string, path: string): string | null {
  if (!/malformed|not a database/.test(reason)) return null;
  return `${path} is damaged: not everything can be stored or worked off. ${PUT_BACKUP}`;
}

function kindOf(error: unknown): 'damaged' | 'unusable' | null {
  if (!(error instanceof Error)) return null;
  if ('errcode' in error) return CODES[Number(error.errcode) & PRIMARY] ?? null;
  return 'code' in error && ERRNO.includes(String(error.code)) ? 'unusable' : null;
}

/** How long SQLite may block its thread for a lock, in ms. Callers that can wait longer retry asynchronously. */
const BUSY_TIMEOUT_MS = 50;
const BUSY_PAUSE_MS = 20;
const SYNCHRONOUS_FULL = 2;
const PRIVATE = 0o600;

/** Opens for reading only; the file must exist. Throws `store_damaged` or `store_unusable`. */
export function openForReading(path: string): DatabaseSync {
  return open(path, true);
}

/**
 * Opens for writing, made if it is missing, so that a commit is on disk when it returns.
 * Throws `store_not_durable` where the file system does not allow that, `store_damaged` or `store_unusable`.
 */
export function openForWriting(path: string): DatabaseSync {
  createPrivate(path);
  const db = open(path, false);
  try {
    makeDurable(db, path);
    return db;
  } catch (error) {
    db.close();
    throw explained(error, path);
  }
}

function open(path: string, readOnly: boolean): DatabaseSync {
  const { DatabaseSync } = loadSqlite();
  try {
    return new DatabaseSync(path, { readOnly, timeout: BUSY_TIMEOUT_MS });
  } catch (error) {
    throw explained(error, path);
  }
}

/** Begins a transaction that writes, waiting up to `patienceMs` for the lock of another process. */
export async function beginImmediate(exec: (sql: string) => unknown, patienceMs: number): Promise<void> {
  for (const deadline = performance.now() + patienceMs; ; ) {
    try {
      return void exec('begin immediate');
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      await delay(BUSY_PAUSE_MS);
    }
  }
}

function makeDurable(db: DatabaseSync, path: string): void {
  db.exec('pragma journal_mode = wal');
  db.exec('pragma synchronous = full');
  // What a statement could have to undo is a few pages, for which SQLite would write a temporary file.
  db.exec('pragma temp_store = memory');
  // macOS: a plain fsync leaves the data in the drive's cache. Without effect elsewhere.
  db.exec('pragma fullfsync = 1; pragma checkpoint_fullfsync = 1');
  // Builds with a weaker default for WAL apply it at the first statement, not at the pragma.
  db.exec('select count(*) from sqlite_schema');
  const { journal_mode: journal } = db.prepare('pragma journal_mode').get() ?? {};
  const { synchronous } = db.prepare('pragma synchronous').get() ?? {};
  if (journal !== 'wal' || synchronous !== SYNCHRONOUS_FULL) {
    throw failure('store_not_durable', `The file system of ${path} does not support a write-ahead log.`, {
      fix: 'Set HOOKCTL_HOME to a folder on a local disk.',
    });
  }
}

/**
 * SQLite gives `-wal` and `-shm` the mode of the db, so the db must be private before it is opened. One that exists
 * is never opened here: closing any descriptor of a file drops the locks that SQLite holds on it in this process.
 */
export function createPrivate(path: string): void {
  try {
    if (!existsSync(path)) createEmpty(path);
    chmodSync(path, PRIVATE);
  } catch (error) {
    throw explained(error, path);
  }
}

function createEmpty(path: string): void {
  try {
    closeSync(openSync(path, 'wx', PRIVATE));
  } catch (error) {
    // Another process has just made it.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Node 22 prints an ExperimentalWarning when `node:sqlite` is loaded, once per thread; users must not see it. */
export function loadSqlite() {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Path of the db in a data folder. */
export function databasePath(dataFolder: string): string {
  return join(dataFolder, 'hookctl.db');
}
