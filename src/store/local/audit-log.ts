import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { failure } from '../../errors.ts';
import type { NewAuditEntry } from '../../types.ts';
import { prepare } from './index.ts';
import { type Holder, lockFolder } from './lock.ts';
import { recordAudit } from './operations/audit.ts';
import { type Redact, withoutSecrets } from './redact-writes.ts';
import { SCHEMA_VERSION, schemaVersion } from './schema/versions.ts';
import { openSql, reading } from './sql.ts';
import { beginImmediate, databasePath, openForWriting } from './sqlite.ts';

/** How long another process may keep the folder while the db has yet to be made or migrated. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 50;

/**
 * Appends to the audit from a process that is not the folder's server, beside one or without one, so that edits of files by
 * the CLI are recorded. All entries are on disk when this resolves. Throws `in_use` when the db cannot be made because another
 * process keeps the folder.
 */
export async function appendAudit(
  dataFolder: string,
  holder: Holder,
  entries: readonly NewAuditEntry[],
  redact: Redact = (text) => text,
): Promise<void> {
  const path = databasePath(dataFolder);
  const deadline = Date.now() + PATIENCE_MS;
  while (!isMade(path)) await makeCurrent(dataFolder, holder, deadline);
  const db = openForWriting(path);
  try {
    await beginImmediate((sql) => db.exec(sql), PATIENCE_MS);
    recordAudit(openSql(db), withoutSecrets(entries, redact));
    db.exec('commit');
  } finally {
    if (db.isTransaction) db.exec('rollback');
    db.close();
  }
}

function isMade(path: string): boolean {
  if (!existsSync(path)) return false;
  return reading(path, (_, db) => schemaVersion(db, path) >= SCHEMA_VERSION);
}

/** Only the folder's holder makes and migrates the db. */
async function makeCurrent(dataFolder: string, holder: Holder, deadline: number): Promise<void> {
  const taken = await lockFolder(dataFolder, holder);
  if (taken.ok) {
    try {
      return void prepare(databasePath(dataFolder));
    } finally {
      taken.lock.release();
    }
  }
  if (Date.now() > deadline) {
    const who =
      taken.holder === null
        ? 'another hookctl'
        : `\`hookctl ${taken.holder.command}\` (pid ${taken.holder.pid})`;
    throw failure('in_use', `the change can't be put on record: ${who} keeps ${dataFolder}`, {
      fix: 'Restart it with this version of hookctl, then type the command again.',
    });
  }
  await delay(RETRY_MS);
}
