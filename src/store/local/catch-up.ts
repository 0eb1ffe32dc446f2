import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { prepare } from './index.ts';
import { tryLockFolder } from './lock.ts';
import { countRecords } from './log/index-log.ts';
import { notedEnd } from './log/record.ts';
import { listSegments, logFolder, segmentPath } from './log/segments.ts';
import { isCurrent } from './schema/versions.ts';
import { reading } from './sql.ts';

/** How long a reading command waits for a server to index what it acknowledged, in ms. */
const PATIENCE_MS = 2_000;
const LOOK_MS = 10;

/**
 * For a command that only reads: waits until the index has every delivery that is in the log, so that what was acknowledged is
 * shown. Where no server indexes it, this process does. Returns how many deliveries are still missing after two seconds.
 */
export function catchUp(path: string): number {
  for (const deadline = performance.now() + PATIENCE_MS; ; pauseThread(LOOK_MS)) {
    const missing = countMissing(path);
    if (missing === 0) return 0;
    const lock = tryLockFolder(dirname(path));
    if (lock !== null) {
      try {
        prepare(path);
        return 0;
      } finally {
        lock.release();
      }
    }
    if (performance.now() > deadline) return missing;
  }
}

/** What a reading command says when deliveries are missing; null when none is. */
export function missingNote(missing: number): string | null {
  return missing === 0 ? null : `note: ${missing} deliveries are not indexed yet and not shown`;
}

/** The same as `catchUp`, for the holder of the folder. */
export function catchUpAsHolder(path: string): void {
  if (countMissing(path) > 0) prepare(path);
}

/** Records without rows. A db of another schema is left as it is. */
function countMissing(path: string): number {
  if (!existsSync(path)) return 0;
  const folder = logFolder(path);
  return reading(path, (sql, db) => {
    const last = listSegments(folder).at(-1) ?? 0;
    if (last === 0 || !isCurrent(db)) return 0;
    const end = notedEnd(sql);
    const isWhole = last === end.segment && statSync(segmentPath(folder, last)).size === end.offset;
    return isWhole ? 0 : countRecords(folder, end);
  });
}

/** A command that only reads does nothing else meanwhile. */
function pauseThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
