import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** O_NONBLOCK: opening a named pipe must not wait for its writer. */
const PLAIN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CHUNK_BYTES = 1024 * 1024;

/** Size and checksum of what was copied. */
interface Copied {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Reads a file of a folder of unknown origin. Throws when it, or a folder on the way to it, is anything but a plain
 * file or folder (a link, a named pipe, a device), or when it is larger than `most` bytes.
 */
export async function readPlain(folder: string, path: string, most: number): Promise<Buffer> {
  const handle = await openPlain(folder, path);
  try {
    const { size } = await handle.stat();
    if (size > most) throw new Error(`${path} is larger than ${most} bytes`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** Copies such a file, at most `most` bytes of it, for its user alone. The target must not exist. */
export async function copyPlain(source: string, path: string, target: string, most: number): Promise<Copied> {
  const from = await openPlain(source, path);
  try {
    await mkdir(dirname(join(target, path)), { recursive: true, mode: 0o700 });
    const to = await open(join(target, path), 'wx', 0o600);
    try {
      return await pour(from, to, most);
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

async function pour(from: FileHandle, to: FileHandle, most: number): Promise<Copied> {
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
