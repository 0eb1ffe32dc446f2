import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { failure, messageOf } from '../../errors.ts';
import { syncDirectory } from '../../lib/files/atomic-file.ts';
import type { NewAuditEntry } from '../../types.ts';
import { appendAudit } from './audit-log.ts';
import { damaged, filesIn, manifestOf } from './backup.ts';
import { prepare } from './index.ts';
import type { Holder } from './lock.ts';
import { copyPlain } from './plain-file.ts';
import { databasePath, openForReading } from './sqlite.ts';
import { isDatabase, isFormer, isOfThisMachine, staysInPlace } from './swap.ts';
import { foreignPart, schemaVersion } from './tables/versions.ts';

interface StagingOptions {
  /** A folder that `hookctl backup` wrote, or one that an earlier restore left (`before-restore-…`). */
  readonly source: string;
  readonly dataFolder: string;
  /** Who restores, for the audit that is restored. `revision`: of the `webhooks.json` that a folder holds. */
  readonly entry: Pick<NewAuditEntry, 'at' | 'actor'> & {
    readonly revision: (folder: string) => Promise<string | null>;
  };
  readonly holder: Holder;
}

/** A state that is in the data folder, whole and on disk, to be put in force by `swapIn`. */
export interface Staged {
  /** Names of folders in the data folder. */
  readonly staged: string;
  readonly former: string;
  /** When the state was copied, in epoch milliseconds. */
  readonly madeAt: number;
}

/** What to copy, and what it has to be. */
interface Content {
  readonly madeAt: number;
  /** Of the hookctl that made it. */
  readonly version: string | null;
  /** Null: the folder names no version. */
  readonly schema: number | null;
  readonly files: readonly {
    readonly path: string;
    readonly bytes: number;
    readonly sha256: string | null;
  }[];
}

/**
 * Checks and copies a state into the data folder, brings it to this code's schema, and puts the restore on record in
 * it. Nothing that is in force is touched. Throws `not_a_backup`, `damaged_backup` or `schema_version`.
 */
export async function stageBackup({ source, dataFolder, entry, holder }: StagingOptions): Promise<Staged> {
  const content = await contentOf(source, dataFolder);
  const { madeAt, version } = content;
  const stamp = new Date(entry.at).toISOString().replaceAll(/[:.]/g, '-');
  const names = { staged: `.restore-${stamp}`, former: `before-restore-${stamp}`, madeAt };
  // A process that is killed while it copies leaves a folder that is never taken for a whole one.
  const part = join(dataFolder, `${names.staged}.part`);
  await mkdir(part, { mode: 0o700 });
  try {
    await copyAll(source, part, content);
    checkDatabase(databasePath(part), content.schema);
    prepare(databasePath(part));
    const details = { made_at: new Date(madeAt).toISOString(), version, former: names.former };
    const revision = await entry.revision(part);
    const { at, actor } = entry;
    await appendAudit(part, holder, () => [
      { at, actor, what: 'backup.restore', target: source, details, revision },
    ]);
    await syncTree(part);
    await rename(part, join(dataFolder, names.staged));
    await syncDirectory(dataFolder);
    return names;
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    throw error;
  }
}

/** Removes what will not be put in force after all. */
export async function unstage(dataFolder: string, { staged }: Staged): Promise<void> {
  await rm(join(dataFolder, staged), { recursive: true, force: true });
}

async function contentOf(source: string, dataFolder: string): Promise<Content> {
  const name = source.slice(dataFolder.length + 1);
  if (dirname(source) === dataFolder && isFormer(name)) return formerContent(source);
  const { created_at: madeAt, ...manifest } = await manifestOf(source);
  return { ...manifest, madeAt: Date.parse(madeAt) };
}

/** What a restore left has no manifest: it is whatever was in the data folder then. */
async function formerContent(source: string): Promise<Content> {
  const names = await filesIn(source).catch((error: unknown) => {
    throw failure('not_a_backup', `${source} can't be read: ${messageOf(error)}`);
  });
  const kept = names.filter((path) => {
    const [first = ''] = path.split('/');
    return !staysInPlace(first) && !isOfThisMachine(path) && (path === 'hookctl.db' || !isDatabase(first));
  });
  const files = await Promise.all(
    kept.map(async (path) => ({ path, bytes: (await stat(join(source, path))).size, sha256: null })),
  );
  return { madeAt: (await stat(source)).mtimeMs, version: null, schema: null, files };
}

async function copyAll(source: string, part: string, { files }: Content): Promise<void> {
  for (const { path, bytes, sha256 } of files) {
    const copied = await copyPlain(source, path, part, bytes).catch((error: unknown) => {
      throw damaged(messageOf(error));
    });
    if (copied.bytes !== bytes || (sha256 !== null && copied.sha256 !== sha256))
      throw damaged(`${path} is not what was backed up`);
  }
}

/** Before anything is written to it: a trigger or view of somebody else would be run by that. */
function checkDatabase(path: string, schema: number | null): void {
  if (!existsSync(path)) {
    if (schema === null) return;
    throw damaged('it has no db');
  }
  const db = openForReading(path);
  try {
    if (schema !== null && schemaVersion(db, path) !== schema)
      throw damaged('its db has another schema version');
    const foreign = foreignPart(db);
    if (foreign !== null) throw damaged(`its db is not as hookctl makes it (${foreign})`);
    const { integrity_check: verdict } = db.prepare('pragma integrity_check').get() ?? {};
    if (verdict !== 'ok') throw damaged(`its db: ${String(verdict)}`);
  } finally {
    db.close();
  }
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else await syncFile(path);
  }
  await syncDirectory(folder);
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
