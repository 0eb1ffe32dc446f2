import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { first } from '../../src/store/local/migrations/0001-first.ts';
import { outbox } from '../../src/store/local/migrations/0002-outbox.ts';
import { tasks } from '../../src/store/local/migrations/0003-tasks.ts';
import { agentEvents } from '../../src/store/local/migrations/0007-agent-events.ts';
import { samples } from '../../src/store/local/migrations/0011-samples.ts';
import {
  foreignPart,
  migrate,
  requireCurrentSchema,
  SCHEMA_VERSION,
  schemaVersion,
} from '../../src/store/local/migrations/index.ts';
import { rowOf } from '../../src/store/local/tables/deliveries.ts';
import { freshStore, newDelivery, storePath } from './fixtures.ts';

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

test('an earlier folder, with bodies in its db, is taken over whole, and its db is kept beside it', async () => {
  const path = storePath();
  const old = new DatabaseSync(path);
  for (const schema of [first, outbox, tasks, 'pragma user_version = 3']) old.exec(schema);
  const ids = Array.from({ length: 30 }, (_, index) => `dlv-${String(index).padStart(2, '0')}`);
  for (const id of ids) {
    const {
      webhook_id: _,
      by_person: __,
      sample: ___,
      ...row
    } = rowOf(newDelivery(id, { body: Buffer.alloc(400_000, id) }));
    const names = Object.keys(row);
    old
      .prepare(`insert into deliveries (${names.join()}) values (${names.map(() => '?').join()})`)
      .run(...Object.values(row));
    old.prepare('insert into bodies values (?, ?)').run(id, Buffer.alloc(400_000, id));
    old.prepare('insert into dedupe_keys values (?, ?, ?)').run('github', `id:sender-${id}`, id);
  }
  old.close();

  const store = await freshStore(path);
  expect(ids.filter((id) => !Buffer.from(store.body(id) ?? []).equals(Buffer.alloc(400_000, id)))).toEqual(
    [],
  );
  expect(store.pending(null, 100)).toHaveLength(30);
  const again = newDelivery('dlv-later', { dedupeKeys: ['id:sender-dlv-07'] });
  expect((await store.accept(again)).duplicateOf).toBe('dlv-07');
  expect(existsSync(`${path}.schema-3`) && statSync(`${path}.schema-3`).mode & 0o777).toBe(0o600);
  expect(statSync(path).size).toBeLessThan(1_000_000);
});

test('F11: a db of an older hookctl is known as its own, and what was added to it is named', () => {
  const db = new DatabaseSync(':memory:');
  for (const sql of [first, outbox, tasks]) db.exec(sql);
  db.exec('pragma user_version = 3');
  expect(foreignPart(db)).toBeNull();
  db.exec('create trigger later after insert on tasks begin select 1; end');
  expect(foreignPart(db)).toBe('trigger later');
  db.exec('drop trigger later; drop table outbox');
  expect(foreignPart(db)).toMatch(/^no (?:table|index) outbox/);
  db.close();
});

test('E15: history and acknowledgements survive the migration, and no id of a transition is used again', () => {
  const db = new DatabaseSync(':memory:');
  for (const sql of [first, outbox, tasks, agentEvents]) db.exec(sql);
  db.exec(`
    insert into flows values ('flow-1', 'x:1', 'conv-1', 1);
    insert into conversations values ('conv-1', 'flow-1', 1);
    insert into tasks (id, title, status, agent, prompt, flow_id, conversation_id, initiated_task_id, external_id,
      source_metadata, sync_to_claude, created_at, updated_at)
      values ('task-1', 't', 'queued', 'a', 'p', 'flow-1', 'conv-1', 'task-1', 'x:1', '{}', 0, 1, 1);
    insert into task_transitions values (7, 'task-1', 'create', null, 'queued', 'cli', null, 1);
    insert into event_consumers values ('ada', 0, 1);
    insert into event_acks values ('ada', 7);
  `);
  db.exec(samples);
  expect(db.prepare('select * from event_acks').all()).toEqual([{ consumer: 'ada', transition_id: 7 }]);
  db.exec('delete from task_transitions');
  expect(db.prepare('select * from event_acks').all()).toEqual([]);
  const insert =
    "insert into task_transitions (task_id, event, to_status, actor, at) values ('task-1', 'fail', 'failed', 'x', 1)";
  expect(db.prepare(insert).run().lastInsertRowid).toBe(8);
  db.close();
});
