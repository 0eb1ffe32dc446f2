import { rmSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Swept } from '../../retention.ts';
import type { BodyLog } from './body-log.ts';
import { listSegments, segmentPath, syncFolder } from './segments.ts';

/**
 * Removes segments in which no delivery has its body any more. The newest stays, so that numbers are never given
 * twice: when nothing in it is needed either, the next one is begun first.
 */
export function sweepLog(db: DatabaseSync, folder: string, log: BodyLog): Swept {
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
