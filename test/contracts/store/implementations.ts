import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openStore } from '../../../src/store/local/index.ts';
import { MIGRATIONS } from '../../../src/store/local/schema/migrations.ts';
import { migrate, SCHEMA_VERSION } from '../../../src/store/local/schema/versions.ts';
import { createPrivate } from '../../../src/store/local/sqlite.ts';
import type { Store } from '../../../src/store/store.ts';
import { postgresAt } from './postgres.ts';

/** Where one store is kept. */
export interface Home {
  /** By which another process opens it, too. */
  readonly address: string;
  /** Opens it with all that was stored there before; made when it is new. */
  open(): Promise<Store>;
  /** Removes it. It is closed. */
  destroy(): void | Promise<void>;
}

/** An implementation of the port. */
export interface Implementation {
  readonly name: string;
  /** A home in which nothing was stored yet, or the one that has this address. */
  home(address?: string): Home;
  /** Versions of the schema before the current one, each with a migration that leads to the next. */
  readonly earlierVersions: readonly number[];
  /**
   * A copy of a home, its schema first of an earlier version, then brought to the current one by migrations. `injected`: a further
   * one, which is run last.
   */
  migratedCopy(home: Home, fromVersion: number, injected?: string): Home | Promise<Home>;
}

const local: Implementation = {
  name: 'local',
  home: (address = join(mkdtempSync(join(tmpdir(), 'hookctl-contract-')), 'hookctl.db')) => ({
    address,
    open: () => openStore({ path: address }),
    destroy: () => rmSync(dirname(address), { recursive: true, force: true }),
  }),
  earlierVersions: MIGRATIONS.map((_, index) => index + 1),
  migratedCopy(from, fromVersion, injected) {
    const home = local.home();
    const folderOf = (address: string) => join(dirname(address), 'bodies');
    cpSync(folderOf(from.address), folderOf(home.address), { recursive: true });
    createPrivate(home.address);
    const db = new DatabaseSync(home.address);
    try {
      migrate(db, home.address, MIGRATIONS.slice(0, fromVersion - 1));
      copyRows(db, from.address);
      migrate(db, home.address, [...MIGRATIONS, ...(injected === undefined ? [] : [injected])]);
      // The injected one is no version that this code knows.
      db.exec(`pragma user_version = ${SCHEMA_VERSION}`);
    } finally {
      db.close();
    }
    return home;
  },
};

/** Copies the rows of all tables, as far as both schemas have the table and its columns. */
function copyRows(db: DatabaseSync, path: string): void {
  db.exec('pragma foreign_keys = off');
  db.prepare('attach ? as filled').run(path);
  const columnsOf = (schema: string, table: string) =>
    db
      .prepare('select name from pragma_table_info(?, ?)')
      .all(table, schema)
      .map(({ name }) => String(name));
  const tables = db.prepare("select name from main.sqlite_schema where type = 'table'").all();
  for (const name of tables.map((row) => String(row.name))) {
    if (name === 'sqlite_sequence') continue;
    const known = new Set(columnsOf('filled', name));
    const columns = columnsOf('main', name)
      .filter((column) => known.has(column))
      .map((column) => `"${column}"`)
      .join();
    db.exec(`delete from main.${name}`);
    if (columns !== '')
      db.exec(`insert into main.${name} (${columns}) select ${columns} from filled.${name}`);
  }
  db.exec('detach filled');
}

/** PostgreSQL is held to it where a server is named; `npm run test:postgres` starts one. */
const server = process.env.HOOKCTL_TEST_POSTGRES;

export const IMPLEMENTATIONS: readonly Implementation[] = [
  ...(process.env.HOOKCTL_TEST_STORE === 'postgres' ? [] : [local]),
  ...(server === undefined ? [] : [postgresAt(server)]),
];
