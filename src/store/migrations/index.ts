import type { DatabaseSync } from 'node:sqlite';
import { failure } from '../../errors.ts';
import { first } from './0001-first.ts';
import { outbox } from './0002-outbox.ts';
import { tasks } from './0003-tasks.ts';

/** In order; the position is the `user_version` that the migration leads to. Never changed, only added to. */
const MIGRATIONS: readonly string[] = [first, outbox, tasks];

/** The `user_version` that this code reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** The schema version of an open db; 0 when nothing was ever stored in it. */
export function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare('pragma user_version').get()?.user_version);
}

/**
 * Brings the db to this code's schema, all steps in one transaction. Only for the holder of the folder's lock.
 * Throws `schema_version` when the db was written by a newer hookctl.
 */
export function migrate(db: DatabaseSync, path: string): void {
  const version = schemaVersion(db);
  if (version > SCHEMA_VERSION) throw writtenByNewer(path, version);
  if (version === SCHEMA_VERSION) return;
  db.exec('begin immediate');
  try {
    for (const migration of MIGRATIONS.slice(version)) db.exec(migration);
    db.exec(`pragma user_version = ${SCHEMA_VERSION}`);
    db.exec('commit');
  } catch (error) {
    if (db.isTransaction) db.exec('rollback');
    throw error;
  }
}

/** Throws `schema_version` unless the db has exactly this code's schema: a reader does not migrate. */
export function requireCurrentSchema(db: DatabaseSync, path: string): void {
  const version = schemaVersion(db);
  if (version > SCHEMA_VERSION) throw writtenByNewer(path, version);
  if (version < SCHEMA_VERSION) {
    throw failure('schema_version', `${skew(path, version)}: it was last written by an older hookctl.`, {
      fix: 'Restart `hookctl serve` with this version; it brings the store up to date.',
    });
  }
}

function writtenByNewer(path: string, version: number) {
  return failure('schema_version', `${skew(path, version)}: it was written by a newer hookctl.`, {
    fix: 'Upgrade this hookctl to the version that wrote the store.',
  });
}

function skew(path: string, version: number): string {
  return `The store ${path} has schema ${version}, this hookctl knows schema ${SCHEMA_VERSION}`;
}
