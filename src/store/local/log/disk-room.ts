import { statfsSync } from 'node:fs';

/** Kept free for what was accepted already: its tasks, replies and task files. Of a small disk, a twentieth. */
const RESERVE_BYTES = 16 * 1024 * 1024;
const RESERVE_SHARE = 0.05;

/**
 * Throws when storing this many bytes would eat into the reserve: better to refuse than to accept and not to work.
 * `given`: a reserve in bytes, default 16 MB, or a twentieth of a small disk.
 */
export function requireRoom(folder: string, bytes: number, given: number | null = null): void {
  const { bavail, blocks, bsize } = statfsSync(folder);
  const reserve = given ?? Math.min(RESERVE_BYTES, blocks * bsize * RESERVE_SHARE);
  const left = bavail * bsize;
  if (left - bytes < reserve) throw new Error(`the disk of ${folder} is full (${left} bytes left)`);
}
