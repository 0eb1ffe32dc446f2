import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { failure, messageOf } from '../../errors.ts';
import { coalesce } from '../../lib/time-slicer.ts';
import { effectsOf, type Store, type StoreReader } from '../store.ts';
import { type AppendLog, openAppendLog } from './log/append-log.ts';
import { type BodyLocation, createBodyReader } from './log/body-reader.ts';
import { CLAIMANT_COLUMNS, type Claimant } from './log/claims.ts';
import { openDedupe } from './log/dedupe.ts';
import { cutTail, holeAt, indexLog, recoveryProblems } from './log/index-log.ts';
import { notedEnd, type RecordedRow, recordOf, rowOf } from './log/record.ts';
import { isIndexed, listSegments, logFolder, logSize, removeSegments } from './log/segments.ts';
import { type Redact, redacting } from './redact-writes.ts';
import { readsOf } from './reports/reads.ts';
import { migrate, requireCurrentSchema, schemaVersion } from './schema/versions.ts';
import { openSnapshots, openSql, type Sql, writing } from './sql.ts';
import { damageOf, explained, openForReading } from './sqlite.ts';
import type { DeliveryRow } from './tables/deliveries.ts';
import { addTextSearch } from './text-search.ts';
import { forwarded, startWriter, type Writer } from './writer-client.ts';

/**
 * Opens the store to read, beside a running server or without one. Null when nothing was ever stored there.
 * Throws `schema_version` when the db was written by an older or a newer hookctl, `store_damaged` when it is none.
 */
export function openReader({
  path,
  failed,
}: {
  readonly path: string;
  /** Called with each error of SQLite, beside the one that is thrown. */
  readonly failed?: (reason: string) => void;
}): StoreReader | null {
  const db = openDatabase(path);
  return db === null ? null : readerOf(db, openSql(db, { failed }), logFolder(path));
}

/** A connection that reads a db of this code's schema; null when nothing was ever stored there. */
function openDatabase(path: string): DatabaseSync | null {
  if (!existsSync(path)) return null;
  const db = openForReading(path);
  try {
    if (schemaVersion(db, path) === 0) {
      db.close();
      return null;
    }
    requireCurrentSchema(db, path);
    return db;
  } catch (error) {
    if (db.isOpen) db.close();
    throw explained(error, path);
  }
}

function readerOf(db: DatabaseSync, sql: Sql, folder: string): StoreReader {
  const readBody = createBodyReader(folder);
  addTextSearch(db, createBodyReader(folder));
  const locationOf = (id: string) =>
    sql.one<BodyLocation>('select id, size, body_segment, body_offset from deliveries where id = ?', [id]);
  function bodyAt(location: BodyLocation): Uint8Array | null {
    try {
      return readBody(location);
    } catch (error) {
      // Retention may have taken it away between the two looks.
      if (locationOf(location.id)?.body_segment === null) return null;
      throw error;
    }
  }

  return {
    ...readsOf(sql, bodyAt),
    body(deliveryId) {
      const location = locationOf(deliveryId);
      return location === null ? null : bodyAt(location);
    },
    logBytes: () => logSize(folder),
    machines: () => [],
    close: () => db.close(),
  };
}

interface StoreOptions {
  readonly path: string;
  /** Takes secrets out of words before they become rows; default: none are known. */
  readonly redact?: Redact;
}

/**
 * Opens the store to write, made and migrated if need be. The caller holds the folder's lock; the folder exists.
 * Throws `schema_version` when a newer hookctl wrote it, `store_not_durable` where the disk cannot keep a promise.
 */
export async function openStore({ path, redact = (text) => text }: StoreOptions): Promise<Store> {
  const problems = [...prepare(path)];
  const add = (text: string | null) => {
    if (text !== null && !problems.includes(text)) problems.push(text);
  };
  // What cannot be read or written for this is tried again later: the damage is told at once.
  const failed = (reason: string) => add(damageOf(reason, path));
  const db = openDatabase(path);
  if (db === null) throw new Error(`${path} vanished while it was opened`);
  const { sql, renew } = openSnapshots(db, failed);
  const reader = readerOf(db, sql, logFolder(path));
  const end = notedEnd(sql);
  const writer = startWriter({
    workerData: { path },
    path,
    end,
    failed,
    damaged: (at) => add(holeAt(at)),
    answered: renew,
  });
  const log = await openAppendLog(path, { after: end, written: writer.appended });
  let isOpen = true;
  return {
    ...reader,
    ...redacting(writesOf({ path, sql, log, writer, isOpen: () => isOpen }), redact),
    shared: null,
    get problems() {
      return [...problems, ...unindexed(writer)];
    },
    async close() {
      isOpen = false;
      await log.close();
      // The writer closes last: only a connection that may write can fold SQLite's own log into the db.
      reader.close();
      await writer.close();
    },
  };
}

function unindexed({ behind, failure: why }: Writer): readonly string[] {
  const error = why();
  if (error === null || behind() === 0) return [];
  return [
    `${behind()} deliveries are on disk but can't be worked off yet: ${error}. They are taken up when the db can be written again.`,
  ];
}

/**
 * Makes the db, or brings it to this code's schema, and to what the log holds. The caller holds the folder's lock. Returns what was
 * lost, in words.
 */
export function prepare(path: string): readonly string[] {
  return writing(path, (sql, db) => {
    const isNew = schemaVersion(db, path) === 0;
    migrate(db, path);
    const folder = logFolder(path);
    sql.run('begin immediate');
    const found = indexLog(sql, folder, { to: null, isLost: isNew });
    sql.run('commit');
    cutTail(folder, found.end);
    return recoveryProblems(found, path, isNew);
  });
}

/** Records without rows that are too many: more are refused until the index has caught up. */
const MOST_BEHIND = 20_000;

const NO_BYTES = new Uint8Array();

interface Parts {
  readonly path: string;
  readonly sql: Sql;
  readonly log: AppendLog;
  readonly writer: Writer;
  readonly isOpen: () => boolean;
}

/** All writes. */
function writesOf({
  path,
  sql,
  log,
  writer,
  isOpen,
}: Parts): Omit<Store, keyof StoreReader | 'problems' | 'shared'> {
  const dedupe = openDedupe(sql, isOpen);
  /** Writes that are under way, by delivery. */
  const appending = new Map<string, Promise<unknown>>();
  let ignored: (() => void)[] = [];
  const releaseIgnored = coalesce(() => {
    const releases = ignored;
    ignored = [];
    writer.indexed().then(() => {
      for (const release of releases) release();
    }, noop);
  });

  async function append(row: RecordedRow, body: Uint8Array): Promise<void> {
    try {
      const appended = log.append(recordOf(row, body));
      appending.set(row.id, appended);
      await appended;
    } catch (error) {
      dedupe.release(row.id);
      throw failure('store_write', `Nothing was stored in ${path}: ${messageOf(error)}.`, { cause: error });
    } finally {
      appending.delete(row.id);
    }
  }

  function requireOpen(): void {
    if (!isOpen()) throw failure('store_stopped', `The store ${path} was closed.`);
  }

  return {
    ...forwarded(writer),
    async accept(delivery) {
      requireOpen();
      requireCaughtUp(writer.behind());
      const row = rowOf(delivery);
      let owner = dedupe.owner(row);
      // A duplicate of what is not stored after all would be lost with it.
      for (let first = appending.get(owner ?? ''); first !== undefined; first = appending.get(owner ?? '')) {
        await first.catch(noop);
        owner = dedupe.owner(row);
      }
      if (owner !== null) {
        await append(asDuplicate(row, owner), NO_BYTES);
        return { status: 'duplicate', duplicateOf: owner };
      }
      if (delivery.status !== 'unparsed') dedupe.begin(row);
      await append(row, delivery.body);
      if (delivery.status === 'ignored') {
        ignored.push(dedupe.releasing(row.id));
        releaseIgnored();
      }
      return { status: delivery.status, duplicateOf: null };
    },
    indexed: () => writer.indexed(),
    async recordOutcome(outcome) {
      const ids = [outcome, ...(outcome.others ?? [])].map(({ deliveryId }) => deliveryId);
      const releases = ids.map((id) => dedupe.releasing(id));
      dedupe.expect(effectsOf(outcome.effects, 'claim').map(({ key }) => key));
      const hasRun = effectsOf(outcome.effects, 'ran').length > 0;
      const [tasks] = await Promise.all([
        writer.call('recordOutcome', outcome),
        // Shares the transaction, which is on disk then.
        hasRun ? writer.call('probe') : undefined,
      ]);
      for (const release of releases) release();
      return tasks;
    },
    async requeue(deliveryId) {
      await writer.indexed();
      requireOpen();
      const row = sql.one<Claimant & Pick<DeliveryRow, 'status'>>(
        `select status, ${CLAIMANT_COLUMNS} from deliveries where id = ?`,
        [deliveryId],
      );
      if (row === null || row.status === 'pending' || dedupe.owner(row) !== null) return false;
      dedupe.begin(row);
      const isDone = await writer.call('requeue', deliveryId).catch((error: unknown) => {
        dedupe.release(deliveryId);
        throw error;
      });
      if (!isDone) dedupe.release(deliveryId);
      return isDone;
    },
    async sweepLog() {
      const folder = logFolder(path);
      const { segments, end } = await writer.call('findUnused', listSegments(folder));
      if (segments.includes(end.segment)) await log.rotate(end);
      // The newest stays, so that no number is given twice.
      const { segment: newest } = log.end();
      const isOver = (segment: number) => segment < newest && isIndexed(folder, segment, end);
      return removeSegments(folder, segments.filter(isOver));
    },
    async noteSync(notes) {
      if (notes.length > 0) await writer.call('noteSync', notes);
    },
  };
}

const noop = () => undefined;

function requireCaughtUp(behind: number): void {
  if (behind < MOST_BEHIND) return;
  throw failure('index_behind', `${behind} deliveries are in the log and not indexed yet`, {
    fix: 'See whether the disk is slow or another program keeps the db: hookctl status',
  });
}

function asDuplicate(row: RecordedRow, owner: string): RecordedRow {
  return { ...row, status: 'duplicate', duplicate_of: owner, reason: `the same as ${owner}`, claims: '[]' };
}
