import { setTimeout as delay } from 'node:timers/promises';
import type { DbContent, DbFile, DbReading, FurtherCheck } from './db-file.ts';

interface SettledOptions {
  readonly further: FurtherCheck;
  /** Whether this is another file than the one that was read last: put in its place, not written over. */
  readonly isNew: (content: DbContent) => boolean;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

/** What is on disk once nobody writes to it any more. */
interface StableFile {
  readonly content: DbContent;
  readonly reading: DbReading;
}

/**
 * A file that is written over in place stays unchanged for this long before it is believed. Half new and half old it
 * may validate and yet be what nobody wrote.
 */
const QUIET_MS = 100;

/**
 * Reads the db while others may be writing it. One that was put in place whole (a rename, as hookctl itself and most
 * editors do it) is taken at once; everything else, also a file that does not validate or is gone, only when it was
 * the same twice. Null: the waiting was ended.
 */
export async function readSettled(db: DbFile, options: SettledOptions): Promise<StableFile | null> {
  const { further, isNew, signal } = options;
  for (let content = await db.content(); !signal.aborted; ) {
    if (isNew(content)) {
      const reading = await db.validate(content, further);
      if (reading.ok) return { content, reading };
    }
    await delay(QUIET_MS, undefined, { signal }).catch(() => undefined);
    const again = await db.content();
    if (isSame(content, again)) return { content, reading: await db.validate(content, further) };
    content = again;
  }
  return null;
}

function isSame(before: DbContent, after: DbContent): boolean {
  if (before.kind === 'bytes' && after.kind === 'bytes') {
    return before.inode === after.inode && Buffer.compare(before.bytes, after.bytes) === 0;
  }
  return before.kind === after.kind;
}
