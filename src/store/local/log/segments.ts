import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Swept } from '../../selection.ts';

/**
 * The log of bodies is a folder of segments beside the db, `bodies/00000001.log` and on. Only the last one grows; one
 * in which nothing is needed any more is removed as a whole.
 */

/** Where a record begins. */
export interface LogPosition {
  readonly segment: number;
  readonly offset: number;
}

const NAME = /^(\d{8})\.log$/;

/** The folder of the segments that belong to a db. */
export function logFolder(databasePath: string): string {
  return join(dirname(databasePath), 'bodies');
}

export function segmentPath(folder: string, segment: number): string {
  return join(folder, `${String(segment).padStart(8, '0')}.log`);
}

/** Numbers of all segments, oldest first. */
export function listSegments(folder: string): readonly number[] {
  if (!existsSync(folder)) return [];
  const found = readdirSync(folder).flatMap((name) => NAME.exec(name)?.[1] ?? []);
  return found.map(Number).toSorted((left, right) => left - right);
}

/** Bytes of all segments together. */
export function logSize(folder: string): number {
  const sizeOf = (segment: number) =>
    statSync(segmentPath(folder, segment), { throwIfNoEntry: false })?.size ?? 0;
  return listSegments(folder).reduce((sum, segment) => sum + sizeOf(segment), 0);
}

export function makeLogFolder(folder: string): void {
  if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) syncFolder(dirname(folder));
}

/** A new file survives a power loss once its folder was synced, too. */
export function syncFolder(path: string): void {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Removes segments in which no delivery has its body any more. The newest stays, so that numbers are never given
 * twice: when nothing in it is needed either, the next one is opened first.
 */
export function sweepLog(db: DatabaseSync, folder: string, log: { rotate(): void }): Swept {
  const used = db.prepare('select 1 from deliveries where body_segment = ? limit 1');
  const needed = (segment: number) => used.get(segment) !== undefined;
  const newest = listSegments(folder).at(-1);
  if (newest !== undefined && !needed(newest)) log.rotate();
  const gone = listSegments(folder)
    .slice(0, -1)
    .filter((segment) => !needed(segment));
  let bytes = 0;
  for (const segment of gone) {
    const path = segmentPath(folder, segment);
    bytes += statSync(path).size;
    rmSync(path);
  }
  if (gone.length > 0) syncFolder(folder);
  return { segments: gone.length, bytes };
}
