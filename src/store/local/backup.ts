import { createHash } from 'node:crypto';
import { constants, createReadStream, existsSync } from 'node:fs';
import {
  chmod,
  copyFile,
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { failure, messageOf } from '../../errors.ts';
import { writeFileAtomic } from '../../lib/files/atomic-file.ts';
import { logFolder, segmentPath } from './log/segments.ts';
import { SCHEMA_VERSION } from './schema/versions.ts';
import { reading, type Sql } from './sql.ts';
import { createPrivate, databasePath } from './sqlite.ts';
import { isCopied, isOfThisMachine } from './swap.ts';

/** O_NONBLOCK: opening a named pipe must not wait for its writer. */
const PLAIN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CHUNK_BYTES = 1024 * 1024;

/**
 * Reads a file of a folder of unknown origin. Throws when it, or a folder on the way to it, is anything but a plain
 * file or folder (a link, a named pipe, a device), or when it is larger than `most` bytes.
 */
async function readPlain(folder: string, path: string, most: number): Promise<Buffer> {
  const handle = await openPlain(folder, path);
  try {
    if ((await handle.stat()).size > most) throw new Error(`${path} is larger than ${most} bytes`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/**
 * Copies such a file of a backup, for its user alone; the target must not exist. Throws `damaged_backup` when it is no plain
 * file, or not what was backed up.
 */
export async function copyPlain(source: string, file: CopiedFile, target: string): Promise<void> {
  const { path, bytes, sha256 } = file;
  const from = await openPlain(source, path).catch((error: unknown) => {
    throw damaged(messageOf(error));
  });
  try {
    await mkdir(dirname(join(target, path)), { recursive: true, mode: 0o700 });
    // One byte more than expected shows a file that has grown.
    const content = from.createReadStream({ end: bytes, highWaterMark: CHUNK_BYTES, autoClose: false });
    await writeFile(join(target, path), content, { flag: 'wx', mode: 0o600 });
  } finally {
    await from.close();
  }
  const copied = await describe(target, path);
  if (copied.bytes !== bytes || (sha256 !== null && copied.sha256 !== sha256))
    throw damaged(`${path} is not what was backed up`);
}

async function openPlain(folder: string, path: string): Promise<FileHandle> {
  const parents = path.split('/').slice(0, -1);
  for (const index of parents.keys()) {
    const parent = parents.slice(0, index + 1).join('/');
    if (!(await lstat(join(folder, parent))).isDirectory()) throw new Error(`${parent} is no plain folder`);
  }
  const handle = await open(join(folder, path), PLAIN).catch((error: NodeJS.ErrnoException) => {
    // A socket or a device without a driver, too, can't be opened.
    throw error.code === 'ENOENT' ? error : new Error(`${path} is no plain file`);
  });
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error(`${path} is no plain file`);
}

const MANIFEST = 'backup.json';
const LARGEST_MANIFEST = 64 * 1024 * 1024;
const DATABASE_FILE = basename(databasePath(''));

const Manifests = z.object({
  /** Of the hookctl that made it. */
  version: z.string(),
  schema: z.int().positive(),
  created_at: z.iso.datetime(),
  files: z.array(
    z.object({
      /** From the folder of the backup. */
      path: z.string(),
      bytes: z.int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});

/** What a backup holds, and how to see that it is whole. */
export type Manifest = z.output<typeof Manifests>;
type BackedUpFile = Manifest['files'][number];

/** A file to copy; `sha256` is null when it is not known. */
export interface CopiedFile extends Omit<BackedUpFile, 'sha256'> {
  readonly sha256: string | null;
}

interface BackupOptions {
  readonly dataFolder: string;
  /** A folder that does not exist yet. */
  readonly target: string;
  readonly version: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * Copies a data folder, also while a server works in it: first the db at one moment, then the log of bodies, which only
 * grows, so that every body of that moment is in it. The manifest comes last: without it nothing is a backup. Throws
 * `exists`, `nothing_stored`, or `backup_failed` when retention removed what was being copied.
 */
export async function backUp({ dataFolder, target, version, now }: BackupOptions): Promise<Manifest> {
  const path = databasePath(dataFolder);
  if (existsSync(target)) throw failure('exists', `${target} exists already`, { fix: 'Name a new folder.' });
  if (!existsSync(path)) throw failure('nothing_stored', `nothing is stored in ${dataFolder}`);
  await mkdir(target, { recursive: true, mode: 0o700 });
  const copy = databasePath(target);
  createPrivate(copy);
  reading(path, (sql) => sql.run('vacuum into ?', [copy]));
  await copyTree(dataFolder, target);
  reading(copy, (sql) => requireSegments(sql, target));
  const files: BackedUpFile[] = [];
  for (const name of await filesIn(target)) files.push(await describe(target, name));
  const manifest = { version, schema: SCHEMA_VERSION, created_at: new Date(now).toISOString(), files };
  await writeFileAtomic(join(target, MANIFEST), JSON.stringify(manifest, null, 2));
  return manifest;
}

/** What a backup says that it holds. Throws `not_a_backup`. */
export async function manifestOf(source: string): Promise<Manifest> {
  try {
    const text = await readPlain(source, MANIFEST, LARGEST_MANIFEST);
    const manifest = Manifests.parse(JSON.parse(text.toString('utf8')));
    const stray = manifest.files.find(({ path }) => !belongs(path));
    if (stray !== undefined) throw new Error(`${stray.path} can't be part of one`);
    return { ...manifest, files: manifest.files.filter(({ path }) => !isOfThisMachine(path)) };
  } catch (error) {
    throw failure('not_a_backup', `${source} is no whole backup: ${messageOf(error)}`, {
      fix: 'Name a folder that `hookctl backup` wrote.',
    });
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (!isCopied(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target);
    else if (entry.isFile())
      await copyPrivate(source, target).catch((error: NodeJS.ErrnoException) => {
        // A temporary file, or a segment that retention took: whether it was needed is looked at afterwards.
        if (error.code !== 'ENOENT') throw error;
      });
  }
}

/** Copies a file with the folders above it, for its user alone. */
async function copyPrivate(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  await copyFile(source, target);
  await chmod(target, 0o600);
}

function requireSegments(sql: Sql, target: string): void {
  const used = sql.column<number>(
    'select distinct body_segment from deliveries where body_segment is not null',
  );
  const folder = logFolder(databasePath(target));
  const missing = used.map((segment) => segmentPath(folder, segment)).find((path) => !existsSync(path));
  if (missing === undefined) return;
  throw failure(
    'backup_failed',
    `${relative(target, missing)} was removed by retention while it was being copied`,
    {
      fix: 'Remove the folder and make the backup again.',
    },
  );
}

/** The plain files in a folder, from there. */
export async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => relative(folder, join(entry.parentPath, entry.name))).toSorted();
}

/** Size and checksum of a file of a backup. */
async function describe(folder: string, path: string): Promise<BackedUpFile> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(join(folder, path))) hash.update(chunk as Buffer);
  return { path, bytes: (await stat(join(folder, path))).size, sha256: hash.digest('hex') };
}

/** A backup of unknown origin must not write beside the data folder, over a lock, or beside the db. */
function belongs(path: string): boolean {
  const [first = '', ...others] = path.split('/');
  if ([first, ...others].some((part) => ['', '.', '..'].includes(part))) return false;
  return isOfThisMachine(first) || first === DATABASE_FILE || isCopied(first);
}

/** What a backup that is not as it was made is refused with. */
export function damaged(what: string): Error {
  return failure('damaged_backup', `the backup is damaged: ${what}. Nothing was changed.`, {
    fix: 'Restore another one.',
  });
}
