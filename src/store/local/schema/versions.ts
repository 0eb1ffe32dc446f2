import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { failure } from '../../../errors.ts';
import { shellQuote } from '../../../lib/shell-quote.ts';
import { createPrivate, loadSqlite } from '../sqlite.ts';
import { MIGRATIONS } from './migrations.ts';
import { SCHEMA } from './version-1.ts';

/** The schema that this code reads and writes. */
export const SCHEMA_VERSION = 1 + MIGRATIONS.length;

/** `HKDB`, the `application_id`. Dbs of hookctl 0.1.0 have none, and their `user_version` counts other migrations. */
const APPLICATION_ID = 0x484b4442;
/** The `user_version` of the db of hookctl 0.1.0, whose tables are those of version 1. */
const LEVEL_OF_0_1_0 = 11;

const UPGRADE_FIRST =
  'Start hookctl 0.1.0 on that folder once, then import it: `hookctl store import <folder>`.';

/**
 * The schema version of an open db; 0 when nothing was ever stored in it. Throws `import_needed` for a db of hookctl
 * 0.1.0, `schema_version` for one of an unreleased hookctl before that or of a newer one.
 */
export function schemaVersion(db: DatabaseSync, path: string, newest = SCHEMA_VERSION): number {
  const version = numberIn(db, 'user_version');
  if (version === 0 || numberIn(db, 'application_id') === APPLICATION_ID) {
    if (version > newest) throw writtenByNewer(path, version);
    return version;
  }
  if (version === LEVEL_OF_0_1_0) {
    const folder = dirname(path);
    throw failure(
      'import_needed',
      `${folder} was written by hookctl 0.1.0, whose store this version opens only after an import.`,
      {
        fix: `Stop hookctl and type: hookctl store import ${shellQuote(folder)}\nIt works on a copy, and what the folder holds now is kept.`,
      },
    );
  }
  throw failure('schema_version', neverReleased(path, version), { fix: UPGRADE_FIRST });
}

/**
 * Makes the tables of an empty db, or brings an older one to this code's schema, in one transaction. Only for the holder of the
 * folder's lock. `migrations`: default those of this code. Throws as `schemaVersion` does.
 */
export function migrate(db: DatabaseSync, path: string, migrations: readonly string[] = MIGRATIONS): void {
  const steps = [SCHEMA, ...migrations];
  const version = schemaVersion(db, path, steps.length);
  if (version === steps.length) return;
  if (version > 0) keepCopy(db, path, version);
  upgrade(db, version, steps);
}

/** Brings a db of an earlier version to this code's schema. No copy of the earlier one is kept. */
export function upgrade(
  db: DatabaseSync,
  version: number,
  steps: readonly string[] = [SCHEMA, ...MIGRATIONS],
): void {
  db.exec('begin immediate');
  try {
    for (const step of steps.slice(version)) db.exec(step);
    markVersion(db, steps.length);
    db.exec('commit');
  } catch (error) {
    if (db.isTransaction) db.exec('rollback');
    throw error;
  }
}

/** A copy beside the db as it was, so that the older hookctl can have it back. */
function keepCopy(db: DatabaseSync, path: string, version: number): void {
  const copy = `${path}.schema-${version}`;
  rmSync(copy, { force: true });
  createPrivate(copy);
  db.prepare('vacuum into ?').run(copy);
}

function markVersion(db: DatabaseSync, version: number): void {
  db.exec(`pragma application_id = ${APPLICATION_ID}; pragma user_version = ${version}`);
}

/** Whether a db has exactly this code's schema. */
export function isCurrent(db: DatabaseSync): boolean {
  return numberIn(db, 'application_id') === APPLICATION_ID && numberIn(db, 'user_version') === SCHEMA_VERSION;
}

/** Throws `schema_version` unless the db has exactly this code's schema: a reader does not migrate. */
export function requireCurrentSchema(db: DatabaseSync, path: string): void {
  const version = schemaVersion(db, path);
  if (version < SCHEMA_VERSION) {
    throw failure('schema_version', `${skew(path, version)}: it was last written by an older hookctl.`, {
      fix: 'Restart `hookctl serve` with this version; it brings the store up to date.',
    });
  }
}

/**
 * Makes a db of hookctl 0.1.0 one of version 1: the tables are the same, so only its marks are set. Throws
 * `not_importable` for any other db.
 */
export function adopt(db: DatabaseSync): void {
  const level = numberIn(db, 'user_version');
  if (numberIn(db, 'application_id') !== 0 || level > LEVEL_OF_0_1_0) {
    throw failure('not_importable', 'its store is not one of hookctl 0.1.0. Nothing was changed.', {
      fix: 'Open it as it is: HOOKCTL_HOME=<folder> hookctl serve.',
    });
  }
  if (level < LEVEL_OF_0_1_0) {
    throw failure('not_importable', `${neverReleased('its store', level)} Nothing was changed.`, {
      fix: UPGRADE_FIRST,
    });
  }
  markVersion(db, 1);
}

/**
 * Part of a db's schema that hookctl did not make, or that is missing: `trigger x`, `no table tasks`. Reads the schema alone:
 * nothing of the db is run or changed. Null when the schema is hookctl's.
 */
export function foreignPart(db: DatabaseSync): string | null {
  const own = new Map(ownSchema(numberIn(db, 'user_version')));
  for (const [key, sql] of partsOf(db)) {
    if (own.get(key) !== sql) return key;
    own.delete(key);
  }
  const [missing] = own.keys();
  return missing === undefined ? null : `no ${missing}`;
}

function ownSchema(version: number): readonly (readonly [string, string])[] {
  const { DatabaseSync } = loadSqlite();
  const db = new DatabaseSync(':memory:');
  try {
    for (const step of [SCHEMA, ...MIGRATIONS].slice(0, version)) db.exec(step);
    return partsOf(db);
  } finally {
    db.close();
  }
}

/**
 * Tables, indexes, views and triggers, with their SQL but for its blanks: an added column is appended to the text as it was
 * typed. SQLite makes tables and indexes of its own (`sqlite_stat1`); no other can take such a name.
 */
function partsOf(db: DatabaseSync): readonly (readonly [string, string])[] {
  const rows = db.prepare('select type, name, sql from sqlite_schema').all();
  return rows
    .filter(
      ({ type, name }) => !(['table', 'index'].includes(String(type)) && String(name).startsWith('sqlite_')),
    )
    .map(({ type, name, sql }) => [
      `${type} ${name}`,
      String(sql)
        .replaceAll(/\s*([(),])\s*/g, '$1')
        .replaceAll(/\s+/g, ' '),
    ]);
}

function numberIn(db: DatabaseSync, pragma: 'user_version' | 'application_id'): number {
  return Number(db.prepare(`pragma ${pragma}`).get()?.[pragma]);
}

function neverReleased(store: string, level: number): string {
  return `${store} has level ${level} of a hookctl that was never released.`;
}

function writtenByNewer(path: string, version: number) {
  return failure('schema_version', `${skew(path, version)}: it was written by a newer hookctl.`, {
    fix: 'Upgrade this hookctl to the version that wrote the store.',
  });
}

function skew(path: string, version: number): string {
  return `The store ${path} has schema ${version}, this hookctl knows schema ${SCHEMA_VERSION}`;
}
