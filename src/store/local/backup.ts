import { createHash } from 'node:crypto';
import { constants, createReadStream, existsSync } from 'node:fs';
import { chmod, copyFile, type FileHandle, lstat, mkdir, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { failure, messageOf } from '../../errors.ts';
import { writeFileAtomic } from '../../lib/files/atomic-file.ts';
import { createPrivate, databasePath, openForReading } from './sqlite.ts';
import { isDatabase, isOfThisMachine, staysInPlace } from './swap.ts';
import { SCHEMA_VERSION } from './tables/versions.ts';

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
    const { size } = await handle.stat();
    if (size > most) throw new Error(`${path} is larger than ${most} bytes`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/**
 * Copies such a file of a backup, for its user alone; the target must not exist. Throws `damaged_backup` when it is no plain file, or not what was backed up.
 */
export async function copyPlain(
  source: string,
  { path, bytes, sha256 }: CopiedFile,
  target: string,
): Promise<void> {
  const from = await openPlain(source, path).catch((error: unknown) => {
    throw damaged(messageOf(error));
  });
  try {
    await mkdir(dirname(join(target, path)), { recursive: true, mode: 0o700 });
    const to = await open(join(target, path), 'wx', 0o600);
    try {
      const copied = await pour(from, to, bytes);
      if (copied.bytes !== bytes || (sha256 !== null && copied.sha256 !== sha256))
        throw damaged(`${path} is not what was backed up`);
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
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

async function pour(from: FileHandle, to: FileHandle, most: number): Promise<Omit<BackedUpFile, 'path'>> {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let bytes = 0;
  for (;;) {
    const { bytesRead } = await from.read(buffer, 0, CHUNK_BYTES, null);
    if (bytesRead === 0 || bytes > most) break;
    const chunk = buffer.subarray(0, bytesRead);
    hash.update(chunk);
    for (let written = 0; written < bytesRead; ) {
      written += (await to.write(chunk, written)).bytesWritten;
    }
    bytes += bytesRead;
  }
  await to.sync();
  return { bytes, sha256: hash.digest('hex') };
}

/** What a backup holds, and how to see that it is whole. */
export interface Manifest {
  /** Of the hookctl that made it. */
  readonly version: string;
  readonly schema: number;
  /** ISO 8601. */
  readonly created_at: string;
  readonly files: readonly BackedUpFile[];
}

interface BackedUpFile {
  /** From the folder of the backup. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A file to copy; `sha256` is null when it is not known. */
export interface CopiedFile extends Omit<BackedUpFile, 'sha256'> {
  readonly sha256: string | null;
}

const MANIFEST = 'backup.json';
const LARGEST_MANIFEST = 64 * 1024 * 1024;
const DATABASE_FILE = basename(databasePath(''));

const Manifests = z.object({
  version: z.string(),
  schema: z.int().positive(),
  created_at: z.iso.datetime(),
  files: z.array(
    z.object({ path: z.string(), bytes: z.int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  ),
});

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
  copyDatabase(path, databasePath(target));
  await copyTree(dataFolder, target);
  requireSegments(databasePath(target), target);
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

function copyDatabase(path: string, target: string): void {
  const db = openForReading(path);
  try {
    createPrivate(target);
    db.prepare('vacuum into ?').run(target);
  } finally {
    db.close();
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (isDatabase(entry.name) || staysInPlace(entry.name) || isOfThisMachine(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target);
    else if (entry.isFile()) await copyPrivate(source, target).catch(ignoreGone);
  }
}

/** Copies a file with the folders above it, for its user alone. */
async function copyPrivate(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  await copyFile(source, target);
  await chmod(target, 0o600);
}

/** A temporary file, or a segment that retention took: whether it was needed is looked at afterwards. */
function ignoreGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

function requireSegments(path: string, target: string): void {
  const db = openForReading(path);
  try {
    const used = db.prepare(
      'select distinct body_segment as segment from deliveries where body_segment is not null',
    );
    for (const { segment } of used.iterate()) {
      const name = `bodies/${String(segment).padStart(8, '0')}.log`;
      if (existsSync(join(target, name))) continue;
      throw failure('backup_failed', `${name} was removed by retention while it was being copied`, {
        fix: 'Remove the folder and make the backup again.',
      });
    }
  } finally {
    db.close();
  }
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
  return isOfThisMachine(first) || (!staysInPlace(first) && (first === DATABASE_FILE || !isDatabase(first)));
}

/** What a backup that is not as it was made is refused with. */
export function damaged(what: string): Error {
  return failure('damaged_backup', `the backup is damaged: ${what}. Nothing was changed.`, {
    fix: 'Restore another one.',
  });
}
