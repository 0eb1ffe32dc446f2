import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { failure } from '../errors.ts';
import { syncDirectory } from '../lib/atomic-file.ts';
import type { NewAuditEntry } from '../types.ts';
import { appendAudit } from './audit-log.ts';
import { checkBackup, copyPrivate, damaged, describe } from './backup.ts';
import { prepare } from './index.ts';
import type { Holder } from './lock.ts';
import { databasePath } from './place.ts';

export interface StagingOptions {
  /** A folder that `hookctl backup` wrote. */
  readonly source: string;
  readonly dataFolder: string;
  /** Who restores, for the audit that is restored. */
  readonly entry: Pick<NewAuditEntry, 'at' | 'actor'>;
  readonly holder: Holder;
}

/** A state that lies in the data folder, whole and on disk, to be put in force by `swapIn`. */
export interface Staged {
  /** Names of folders in the data folder. */
  readonly staged: string;
  readonly former: string;
}

const STAGED = /^\.restore-([0-9A-Z-]+)$/;

/**
 * Checks and copies a backup into the data folder, brings it to this code's schema, and puts the restore on record in
 * it. Nothing that is in force is touched. Throws `not_a_backup`, `damaged_backup` or `schema_version`.
 */
export async function stageBackup({ source, dataFolder, entry, holder }: StagingOptions): Promise<Staged> {
  const { files, created_at: madeAt, version } = await checkBackup(source);
  const stamp = new Date(entry.at).toISOString().replaceAll(/[:.]/g, '-');
  const names = namesOf(stamp);
  // Who is killed while copying leaves a folder that is never taken for a whole one.
  const part = join(dataFolder, `${names.staged}.part`);
  await mkdir(part, { mode: 0o700 });
  try {
    for (const { path } of files) await copyPrivate(join(source, path), join(part, path));
    for (const { path, sha256 } of files) {
      if ((await describe(part, path)).sha256 !== sha256) throw damaged(`${path} changed while it was read`);
    }
    prepare(databasePath(part));
    const details = { made_at: madeAt, version, former: names.former };
    const line = { ...entry, what: 'backup.restore', target: source, details, revision: null };
    await appendAudit(part, holder, () => [line]);
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

/** What another process staged. Throws `not_staged` when there is no whole one of that name. */
export function stagedNamed(dataFolder: string, name: string): Staged {
  const stamp = STAGED.exec(name)?.[1];
  if (stamp !== undefined && existsSync(join(dataFolder, name))) return namesOf(stamp);
  throw failure('not_staged', `nothing was staged in ${dataFolder} as ${name}`, {
    fix: 'Type: hookctl restore <folder>',
  });
}

function namesOf(stamp: string): Staged {
  return { staged: `.restore-${stamp}`, former: `before-restore-${stamp}` };
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
