import { rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { failure } from '../../../errors.ts';
import { createPrivate, loadSqlite } from '../sqlite.ts';
import { first } from './0001-first.ts';
import { outbox } from './0002-outbox.ts';
import { tasks } from './0003-tasks.ts';
import { bodyLog } from './0004-body-log.ts';
import { audit } from './0005-audit.ts';
import { runs } from './0006-runs.ts';
import { agentEvents } from './0007-agent-events.ts';
import { trust } from './0008-trust.ts';
import { flowAliases } from './0009-flow-aliases.ts';
import { knownAgents } from './0010-known-agents.ts';
import { samples } from './0011-samples.ts';

/** SQL, or what takes more than that; `path` is the db's. */
type Migration = string | ((db: DatabaseSync, path: string) => void);

/** In order; the position is the `user_version` that the migration leads to. Never changed, only added to. */
const MIGRATIONS: readonly Migration[] = [
  first,
  outbox,
  tasks,
  bodyLog,
  audit,
  runs,
  agentEvents,
  trust,
  flowAliases,
  knownAgents,
  samples,
];

/** The `user_version` that this code reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** The schema version of an open db; 0 when nothing was ever stored in it. */
export function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare('pragma user_version').get()?.user_version);
}

/** One table, index, view or trigger of a db, as SQLite keeps it. */
interface SchemaPart {
  readonly type: string;
  readonly name: string;
  readonly sql: string;
}

/**
 * What a db holds that hookctl of its schema version did not make, or that it lacks: `trigger x`, `no table tasks`.
 * Nothing of the db is run or changed. Null when it is as hookctl makes it.
 */
export function foreignPart(db: DatabaseSync): string | null {
  const version = schemaVersion(db);
  const own = new Map(ownSchema(version).map((part) => [keyOf(part), part]));
  for (const part of partsOf(db)) {
    if (own.get(keyOf(part))?.sql !== part.sql) return keyOf(part);
    own.delete(keyOf(part));
  }
  const [missing] = own.keys();
  return missing === undefined ? null : `no ${missing}`;
}

function ownSchema(version: number): readonly SchemaPart[] {
  const { DatabaseSync } = loadSqlite();
  const db = new DatabaseSync(':memory:');
  try {
    for (const migration of MIGRATIONS.slice(0, version)) {
      if (typeof migration === 'string') db.exec(migration);
      else migration(db, ':memory:');
    }
    return partsOf(db);
  } finally {
    db.close();
  }
}

/** SQLite makes tables and indexes of its own (`sqlite_stat1`); nobody else can take such a name. */
function partsOf(db: DatabaseSync): readonly SchemaPart[] {
  const rows = db.prepare('select type, name, sql from sqlite_schema').all();
  return rows
    .map(({ type, name, sql }) => ({ type: String(type), name: String(name), sql: String(sql) }))
    .filter(({ type, name }) => !(['table', 'index'].includes(type) && name.startsWith('sqlite_')));
}

function keyOf({ type, name }: SchemaPart): string {
  return `${type} ${name}`;
}

/**
 * Brings the db to this code's schema, all steps in one transaction. Only for the holder of the folder's lock.
 * Throws `schema_version` when the db was written by a newer hookctl.
 */
export function migrate(db: DatabaseSync, path: string): void {
  const version = schemaVersion(db);
  if (version > SCHEMA_VERSION) throw writtenByNewer(path, version);
  if (version === SCHEMA_VERSION) return;
  if (version > 0) keepCopy(db, path, version);
  db.exec('begin immediate');
  try {
    for (const migration of MIGRATIONS.slice(version)) {
      if (typeof migration === 'string') db.exec(migration);
      else migration(db, path);
    }
    db.exec(`pragma user_version = ${SCHEMA_VERSION}`);
    db.exec('commit');
  } catch (error) {
    if (db.isTransaction) db.exec('rollback');
    throw error;
  }
  // What moved out of the db leaves holes in it.
  if (version > 0) db.exec('vacuum');
}

/** A copy beside the db as it was, so that the older hookctl can have it back. */
function keepCopy(db: DatabaseSync, path: string, version: number): void {
  const copy = `${path}.schema-${version}`;
  rmSync(copy, { force: true });
  createPrivate(copy);
  db.prepare('vacuum into ?').run(copy);
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
