import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { MIGRATIONS } from '../../src/store/local/schema/migrations.ts';
import {
  adopt,
  foreignPart,
  migrate,
  requireCurrentSchema,
  SCHEMA_VERSION,
  schemaVersion,
} from '../../src/store/local/schema/versions.ts';
import { storePath } from './fixtures.ts';
import { databaseOf010 } from './folder-0-1-0.ts';

const PATH = '/home/ada/.hookctl/hookctl.db';

test('an empty db gets the schema, and a second call changes nothing', () => {
  const db = new DatabaseSync(':memory:');
  migrate(db, PATH);
  migrate(db, PATH);
  expect(schemaVersion(db, PATH)).toBe(SCHEMA_VERSION);
  expect(() => requireCurrentSchema(db, PATH)).not.toThrow();
  expect(foreignPart(db)).toBeNull();
  db.close();
});

test('a later migration runs once, keeps a copy of the db before it, and readers say which side to restart', () => {
  const path = storePath();
  const db = new DatabaseSync(path);
  migrate(db, path);
  const later = [...MIGRATIONS, 'alter table flows add column note text'];
  migrate(db, path, later);
  migrate(db, path, later);
  const next = SCHEMA_VERSION + 1;
  expect(schemaVersion(db, path, next)).toBe(next);
  expect(db.prepare('select note from flows').all()).toEqual([]);
  const copy = `${path}.schema-${SCHEMA_VERSION}`;
  expect(existsSync(copy) && statSync(copy).mode & 0o777).toBe(0o600);
  expect(() => requireCurrentSchema(db, path)).toThrow(expect.objectContaining({ code: 'schema_version' }));
  expect(() => migrate(db, path)).toThrow(
    expect.objectContaining({
      code: 'schema_version',
      message: expect.stringMatching(
        new RegExp(`has schema ${next}, this hookctl knows schema ${SCHEMA_VERSION}: .*newer`),
      ),
    }),
  );
  db.close();
});

test('a reader refuses a db of an older hookctl and says which side to restart', () => {
  const db = new DatabaseSync(':memory:');
  migrate(db, PATH);
  db.exec('pragma user_version = 0');
  expect(() => requireCurrentSchema(db, PATH)).toThrow(
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
  expect(() => migrate(db, PATH)).toThrow('tasks');
  expect(schemaVersion(db, PATH)).toBe(0);
  expect(db.prepare("select name from sqlite_schema where type = 'table'").all()).toHaveLength(1);
  db.close();
});

test('a db of hookctl 0.1.0 is not opened: the error names the command that imports its folder', () => {
  const db = databaseOf010(':memory:');
  for (const open of [requireCurrentSchema, migrate]) {
    expect(() => open(db, PATH)).toThrow(
      expect.objectContaining({
        code: 'import_needed',
        message: expect.stringContaining('hookctl 0.1.0'),
        fix: expect.stringContaining('hookctl store import /home/ada/.hookctl'),
      }),
    );
  }
  db.close();
});

test.each([1, 3, 10])('a db of the unreleased level %i is neither opened nor imported', (level) => {
  const db = databaseOf010(':memory:', level);
  const refused = {
    message: expect.stringContaining(`level ${level}`),
    fix: expect.stringContaining('0.1.0'),
  };
  expect(() => migrate(db, PATH)).toThrow(expect.objectContaining({ code: 'schema_version', ...refused }));
  expect(() => adopt(db)).toThrow(expect.objectContaining({ code: 'not_importable', ...refused }));
  db.close();
});

test('F11: an imported db is known as hookctl’s own, and what was added to it is named', () => {
  const path = storePath();
  const db = databaseOf010(path);
  adopt(db);
  expect(foreignPart(db)).toBeNull();
  migrate(db, path);
  expect(foreignPart(db)).toBeNull();
  expect(() => requireCurrentSchema(db, path)).not.toThrow();
  expect(() => adopt(db)).toThrow(expect.objectContaining({ code: 'not_importable' }));
  db.exec('create trigger later after insert on tasks begin select 1; end');
  expect(foreignPart(db)).toBe('trigger later');
  db.exec('drop trigger later; drop table outbox');
  expect(foreignPart(db)).toMatch(/^no (?:table|index) outbox/);
  db.close();
});

test('E15: no id of a transition is used again, and its acknowledgements go with it', () => {
  const db = new DatabaseSync(':memory:');
  migrate(db, PATH);
  db.exec(`
    insert into flows values ('flow-1', 'x:1', 'conv-1', 1, 'operator');
    insert into conversations values ('conv-1', 'flow-1', 1, 'operator');
    insert into tasks (id, title, status, agent, prompt, flow_id, conversation_id, initiated_task_id, external_id,
      source_metadata, sync_to_claude, created_at, updated_at)
      values ('task-1', 't', 'queued', 'a', 'p', 'flow-1', 'conv-1', 'task-1', 'x:1', '{}', 0, 1, 1);
    insert into task_transitions values (7, 'task-1', 'create', null, 'queued', 'cli', null, 1);
    insert into event_consumers values ('ada', 0, 1);
    insert into event_acks values ('ada', 7);
  `);
  db.exec('delete from task_transitions');
  expect(db.prepare('select * from event_acks').all()).toEqual([]);
  const insert =
    "insert into task_transitions (task_id, event, to_status, actor, at) values ('task-1', 'fail', 'failed', 'x', 1)";
  expect(db.prepare(insert).run().lastInsertRowid).toBe(8);
  db.close();
});
