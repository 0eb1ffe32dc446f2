import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const SCHEMA = readFileSync(join(import.meta.dirname, 'schema-0.1.0.sql'), 'utf8');

/** An empty db as hookctl 0.1.0 made it, or one of a level before that was never released. */
export function databaseOf010(path: string, level = 11): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec(`${SCHEMA}; pragma user_version = ${level}`);
  return db;
}

/** Writes the db of a closed store as hookctl 0.1.0 wrote it, with the same rows. */
export function writeAs010(path: string): void {
  const earlier = `${path}.earlier`;
  const db = databaseOf010(earlier);
  db.prepare('attach ? as present').run(path);
  const tables = db
    .prepare("select name from main.sqlite_schema where type = 'table' and sql is not null")
    .all();
  db.exec('pragma foreign_keys = off');
  for (const { name } of tables) {
    // Those that 0.1.0 had: migrations have added others since.
    const columns = db.prepare('select name from pragma_table_info(?, ?)').all(String(name), 'main');
    const listed = columns.map((column) => `"${column.name}"`).join();
    db.exec(`insert into main."${name}" (${listed}) select ${listed} from present."${name}"`);
  }
  db.exec('detach present');
  db.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
  const written = new DatabaseSync(earlier);
  written.prepare('vacuum into ?').run(path);
  written.close();
  rmSync(earlier);
}
