import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { failure, HookctlError, messageOf } from '../../errors.ts';
import { syncDirectory } from '../../lib/files/atomic-file.ts';
import { type NewAuditEntry, OPERATOR } from '../../types.ts';
import { type CopiedFile, copyPlain, damaged, filesIn, type Manifest, manifestOf } from './backup.ts';
import { catchUpAsHolder } from './catch-up.ts';
import { openStore } from './index.ts';
import { adopt, foreignPart, schemaVersion, upgrade } from './schema/versions.ts';
import { reading, type Sql, writing } from './sql.ts';
import { databasePath } from './sqlite.ts';
import { isCopied, isFormer, type Swap, swapNames } from './swap.ts';

interface StagingOptions {
  /** A folder that `hookctl backup` wrote, or one that an earlier restore left (`before-restore-…`). */
  readonly source: string;
  readonly dataFolder: string;
  /** When and by whom, for the audit of the restored state. */
  readonly entry: Pick<NewAuditEntry, 'at' | 'actor'>;
}

/** A state that is in the data folder, whole and on disk, to be put in force by `swapIn`. */
export interface Staged extends Swap {
  /** When the state was copied, in epoch milliseconds. */
  readonly madeAt: number;
}

/**
 * Checks and copies a state into the data folder, brings it to this code's schema, and records the restore in its audit.
 * Nothing that is in force is touched. Throws `not_a_backup`, `damaged_backup`, `import_needed` or `schema_version`.
 */
export async function stageBackup({ source, dataFolder, entry }: StagingOptions): Promise<Staged> {
  const isUndo = dirname(source) === dataFolder && isFormer(basename(source));
  const content = isUndo ? await folderContent(source) : await manifestOf(source);
  return stage({ source, dataFolder, content, at: entry.at }, async (part, { former, madeAt }) => {
    checkDatabase(part, source, content.schema);
    const details = { made_at: new Date(madeAt).toISOString(), version: content.version, former };
    const store = await openStore({ path: databasePath(part) });
    await store
      .recordAudit([
        { ...entry, what: 'backup.restore', owner: OPERATOR, target: source, details, revision: null },
      ])
      .finally(store.close);
  });
}

/**
 * Copies what hookctl 0.1.0 kept in a folder, also in the data folder itself, or what it backed up, and makes its db one of
 * this schema. The source stays as it is. Throws `not_importable`, `not_a_backup` or `damaged_backup`.
 */
export async function stageImport(source: string, dataFolder: string, at: number): Promise<Staged> {
  const isBackup = existsSync(join(source, 'backup.json'));
  if (!isBackup && !existsSync(databasePath(source)))
    throw new HookctlError('not_importable', 4, `${source} holds no store of hookctl`, {
      fix: 'Name the data folder of hookctl 0.1.0, or a backup of it: hookctl store import <folder>',
    });
  const content = isBackup ? await manifestOf(source) : await folderContent(source);
  return stage({ source, dataFolder, content, at }, async (part) => {
    writing(databasePath(part), (_, db) => adopt(db));
    checkDatabase(part, source, null);
    writing(databasePath(part), (_, db) => upgrade(db, 1));
  });
}

/** Removes what will not be put in force after all. */
export async function unstage(dataFolder: string, { staged }: Staged): Promise<void> {
  await rm(join(dataFolder, staged), { recursive: true, force: true });
}

interface Content extends Pick<Manifest, 'created_at'> {
  /** Null when the folder names none, as do `schema` and the checksums. */
  readonly version: string | null;
  readonly schema: number | null;
  readonly files: readonly CopiedFile[];
}

/** A folder without a manifest: whatever a data folder held. */
async function folderContent(source: string): Promise<Content> {
  const names = await filesIn(source).catch((error: unknown) => {
    throw failure('not_a_backup', `${source} can't be read: ${messageOf(error)}`);
  });
  const kept = names.filter(
    (path) => path === 'hookctl.db' || path === 'hookctl.db-wal' || isCopied(path.split('/')[0] ?? ''),
  );
  const files = await Promise.all(
    kept.map(async (path) => ({ path, bytes: (await stat(join(source, path))).size, sha256: null })),
  );
  return { created_at: (await stat(source)).mtime.toISOString(), version: null, schema: null, files };
}

interface Staging extends Omit<StagingOptions, 'entry'> {
  readonly content: Content;
  readonly at: number;
}

/** `finish` checks the copy and makes it what is to be in force. */
async function stage(
  { source, dataFolder, content, at }: Staging,
  finish: (part: string, staged: Staged) => Promise<void>,
): Promise<Staged> {
  const names = { ...swapNames(at), madeAt: Date.parse(content.created_at) };
  // A process that is killed while it copies leaves a folder that is never taken for a whole one.
  const part = join(dataFolder, `${names.staged}.part`);
  await mkdir(part, { mode: 0o700 });
  try {
    for (const file of content.files) await copyPlain(source, file, part);
    await finish(part, names);
    await syncTree(part);
    await rename(part, join(dataFolder, names.staged));
    await syncDirectory(dataFolder);
    return names;
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    throw error;
  }
}

/** Before anything is written to it: a foreign trigger or view would run then. */
function checkDatabase(folder: string, source: string, schema: number | null): void {
  const path = databasePath(folder);
  if (!existsSync(path)) {
    if (schema === null) return;
    throw damaged('it has no db');
  }
  reading(path, (sql, db) => {
    const version = schemaVersion(db, databasePath(source));
    if (schema !== null && version !== schema) throw damaged('its db has another schema version');
    const foreign = foreignPart(db);
    if (foreign !== null) throw damaged(`its db is not as hookctl makes it (${foreign})`);
    const verdict = sql.value('pragma integrity_check');
    if (verdict !== 'ok') throw damaged(`its db: ${verdict}`);
  });
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await syncDirectory(path);
    else {
      const handle = await open(path, 'r+');
      await handle.sync().finally(() => handle.close());
    }
  }
  await syncDirectory(folder);
}

/** How a state that is to be put in force differs from the one that is. */
export interface Loss {
  /** Deliveries that are stored now and not in it. */
  readonly deliveries: number;
  /** Ids of the tasks that are stored now and not in it. */
  readonly tasks: readonly string[];
  /** Deliveries and tasks in it that the next server goes on with. */
  readonly open: { readonly deliveries: number; readonly tasks: number };
}

/**
 * Compares the stores of two folders; null when the present one is not there or can't be read. The caller holds the folder:
 * deliveries that are in its log alone count, too.
 */
export function lossOf(dataFolder: string, later: string): Loss | null {
  const present = databasePath(dataFolder);
  if (!existsSync(present)) return null;
  try {
    catchUpAsHolder(present);
    // The last connection that may write folds the log into the db, so that only the db is moved.
    return writing(databasePath(later), (sql) => compare(sql, present));
  } catch {
    // A damaged db may be the reason for the restore.
    return null;
  }
}

function compare(sql: Sql, present: string): Loss {
  sql.run('attach ? as present', [present]);
  const count = (rows: string) => sql.count(`select count(*) from ${rows}`);
  const lost = 'select id from present.tasks where id not in (select id from tasks) order by id';
  return {
    deliveries: count('present.deliveries where id not in (select id from deliveries)'),
    tasks: sql.column(lost),
    open: {
      deliveries: count("deliveries where status = 'pending'"),
      tasks: count("tasks where status not in ('completed', 'failed', 'cancelled')"),
    },
  };
}
