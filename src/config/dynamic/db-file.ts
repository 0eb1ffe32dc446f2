import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Diagnostic } from '../../errors.ts';
import { toDiagnostic } from '../../lib/diagnostics.ts';
import { writeFileAtomic } from '../../lib/files/atomic-file.ts';
import type { Issue } from '../../types.ts';
import { DB_FILE, LAST_GOOD_FILE } from './files.ts';
import { parseDb } from './parse.ts';
import type { ResolvedDb, Resolver } from './resolve-db.ts';
import type { DbState } from './schema.ts';

/** 10,000 webhooks take about 10 MB; hookctl does not write a file beyond this. */
const MAX_BYTES = 64 * 1024 * 1024;

/** The content of the file. */
export type DbContent =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly inode: number }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly problem: Diagnostic };

/** A file that validates, or why it does not. */
export type DbReading =
  | {
      readonly ok: true;
      readonly state: DbState;
      readonly resolved: ResolvedDb;
      readonly revision: string;
      /** Null when there is no file, and never was one with webhooks. */
      readonly bytes: Uint8Array | null;
    }
  | { readonly ok: false; readonly problems: readonly Diagnostic[] };

/** Checks beyond schema and commands: issues with paths from the whole file. */
type FurtherCheck = (state: DbState) => readonly Issue[];

/** The db and its last good copy on disk. */
export interface DbFile {
  readonly file: string;
  readonly lastGoodFile: string;
  content(): Promise<DbContent>;
  /** Differs when the file was written, replaced or removed since. */
  stamp(): Promise<string>;
  /** Validates. A file that is absent although webhooks were in it is not taken for an empty one. */
  validate(content: DbContent, further?: FurtherCheck): Promise<DbReading>;
  /** Null when there is none. */
  lastGood(further?: FurtherCheck): Promise<DbReading | null>;
  /** Replaces the db, and then its last good copy, by bytes that validate. */
  write(bytes: Uint8Array): Promise<void>;
  /** Keeps bytes that validated as the last good copy. */
  keep(bytes: Uint8Array): Promise<void>;
}

/** `share`: called with what is written, before that; when it throws, nothing is. */
export function dbFile(
  dataFolder: string,
  resolve: Resolver,
  share: (bytes: Uint8Array) => Promise<void> = async () => undefined,
): DbFile {
  const file = join(dataFolder, DB_FILE);
  const lastGoodFile = join(dataFolder, LAST_GOOD_FILE);

  const read = async (path: string, bytes: Uint8Array, further: FurtherCheck): Promise<DbReading> => {
    const revision = revisionOf(bytes);
    const parsed = parseDb(path, bytes);
    if (!parsed.ok) return parsed;
    const { state, source } = parsed;
    const resolved = await resolve(state);
    const issues = [...resolved.issues, ...further(state)];
    return issues.length > 0
      ? { ok: false, problems: issues.map((issue) => toDiagnostic(source, issue)) }
      : { ok: true, state, resolved, revision, bytes };
  };

  const lastGood = async (further: FurtherCheck = () => []): Promise<DbReading | null> => {
    const content = await readContent(lastGoodFile);
    return content.kind === 'bytes' ? read(lastGoodFile, content.bytes, further) : null;
  };

  async function validate(content: DbContent, further: FurtherCheck = () => []): Promise<DbReading> {
    if (content.kind === 'bytes') return read(file, content.bytes, further);
    if (content.kind === 'unreadable') return { ok: false, problems: [content.problem] };
    const former = await lastGood();
    const count = former?.ok === true ? former.state.webhooks.length : 0;
    if (count > 0) {
      const message = `the file is gone, although it held ${count} ${count === 1 ? 'webhook' : 'webhooks'}`;
      return { ok: false, problems: [{ file, message }] };
    }
    const state = { webhooks: [] };
    return { ok: true, state, resolved: await resolve(state), revision: EMPTY_REVISION, bytes: null };
  }

  return {
    file,
    lastGoodFile,
    lastGood,
    content: () => readContent(file),

    async stamp() {
      const found = await stat(file, { bigint: true }).catch(() => null);
      return found === null ? 'absent' : `${found.ino} ${found.size} ${found.mtimeNs}`;
    },

    validate,

    async write(bytes) {
      await share(bytes);
      await writeFileAtomic(file, bytes);
      await writeFileAtomic(lastGoodFile, bytes);
    },

    async keep(bytes) {
      const kept = await readContent(lastGoodFile);
      if (kept.kind === 'bytes' && Buffer.compare(kept.bytes, bytes) === 0) return;
      await writeFileAtomic(lastGoodFile, bytes);
    },
  };
}

/** Of a db that does not exist yet. */
const EMPTY_REVISION = 'empty';

/** Names a content of the file: the first 16 hex digits of its SHA-256. */
export function revisionOf(bytes: Uint8Array | null): string {
  return bytes === null ? EMPTY_REVISION : createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

async function readContent(file: string): Promise<DbContent> {
  const unreadable = (message: string, fix: string): DbContent => {
    return { kind: 'unreadable', problem: { file, message, fix } };
  };
  try {
    // A pipe in its place would otherwise keep us waiting for somebody who writes into it.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = await handle.stat();
      if (found.isDirectory()) return unreadable('is a folder', 'Move it away.');
      if (!found.isFile()) return unreadable('is not a file', 'Move it away.');
      if (found.size > MAX_BYTES)
        return unreadable(`is larger than ${MAX_BYTES / 1024 ** 2} MB`, 'Move it away.');
      return { kind: 'bytes', bytes: await handle.readFile(), inode: found.ino };
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { kind: 'absent' };
    return unreadable(`cannot be read: ${message}`, 'Make it a file that you may read.');
  }
}

interface SettledOptions {
  readonly further: FurtherCheck;
  /** Whether this is another file than the one that was read last: put in its place, not written over. */
  readonly isNew: (content: DbContent) => boolean;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

/** The file once it no longer changes. */
interface StableFile {
  readonly content: DbContent;
  readonly reading: DbReading;
}

/**
 * A file that is written over in place stays unchanged for this long before it is believed. Half new and half old it
 * may validate and yet be no state that was ever meant.
 */
const QUIET_MS = 100;

/**
 * Reads the db while others may be writing it. One that was put in place whole (a rename, as hookctl itself and most
 * editors do it) is taken at once; everything else, also a file that does not validate or is gone, only when it was
 * the same twice. Null when the waiting was ended.
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
