import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import {
  migrate,
  requireCurrentSchema,
  SCHEMA_VERSION,
  schemaVersion,
} from '../../src/store/migrations/index.ts';

test('migrating brings an empty db to the newest schema, and again changes nothing', () => {
  const db = new DatabaseSync(':memory:');
  migrate(db, 'hookctl.db');
  migrate(db, 'hookctl.db');
  expect(schemaVersion(db)).toBe(SCHEMA_VERSION);
  expect(() => requireCurrentSchema(db, 'hookctl.db')).not.toThrow();
  db.close();
});

test('a reader refuses a db of an older hookctl and says which side to restart', () => {
  const db = new DatabaseSync(':memory:');
  db.exec(`pragma user_version = ${SCHEMA_VERSION - 1}`);
  expect(() => requireCurrentSchema(db, 'hookctl.db')).toThrow(
    expect.objectContaining({
      code: 'schema_version',
      message: expect.stringMatching(/has schema \d+, this hookctl knows schema \d+: .*older/),
      fix: expect.stringContaining('Restart `hookctl serve`'),
    }),
  );
  db.close();
});

test('a migration that fails leaves the db as it was', () => {
  const db = new DatabaseSync(':memory:');
  db.exec('create table tasks (id text)');
  expect(() => migrate(db, 'hookctl.db')).toThrow('tasks');
  expect(schemaVersion(db)).toBe(0);
  expect(db.prepare("select name from sqlite_schema where type = 'table'").all()).toHaveLength(1);
  db.close();
});
