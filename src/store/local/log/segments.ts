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
import type { Swept } from '../../selection.ts';

/**
 * The log is a folder of segments beside the db, `bodies/00000001.log` and on. Only the last one grows; one in which nothing is
 * needed any more is removed as a whole.
 */

/** Where a record begins. */
export interface LogPosition {
  readonly segment: number;
  readonly offset: number;
}

/** Default size of a segment. */
export const SEGMENT_BYTES = 64 * 1024 * 1024;

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

/** Whether every record of a segment has its row, when the index ends there. */
export function isIndexed(folder: string, segment: number, end: LogPosition): boolean {
  if (segment !== end.segment) return segment < end.segment;
  return statSync(segmentPath(folder, segment)).size <= end.offset;
}

/** Removes segments from disk. */
export function removeSegments(folder: string, segments: readonly number[]): Swept {
  let bytes = 0;
  for (const segment of segments) {
    const path = segmentPath(folder, segment);
    bytes += statSync(path).size;
    rmSync(path);
  }
  if (segments.length > 0) syncFolder(folder);
  return { segments: segments.length, bytes };
}
