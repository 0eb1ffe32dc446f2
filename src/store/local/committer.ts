import type { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../../errors.ts';
import { type BodyLog, openBodyLog } from './log/body-log.ts';
import { openClaims } from './log/dedupe.ts';
import {
  createNoteEnd,
  createStoreRow,
  packedRow,
  type RecordedRow,
  recordOf,
  sealRecord,
} from './log/record.ts';
import { type LogPosition, logFolder, sweepLog } from './log/segments.ts';
import { beginImmediate, createRunner, type SqlRow, type Statement } from './sqlite.ts';

/** Statements that are stored together or not at all. */
export interface Run {
  readonly kind: 'run';
  readonly statements: readonly Statement[];
  /** The delivery whose keys are kept or released with it. */
  readonly claims?: {
    readonly deliveryId: string;
    readonly acted: boolean;
    readonly more: readonly string[];
  };
}

/** A delivery to be stored: the position of its packed record in the batch. */
interface Accept {
  readonly kind: 'accept';
  readonly at: number;
  readonly end: number;
}

/** Makes a delivery pending again, by a statement that returns its row; only if its keys are free. */
export interface Reopen {
  readonly kind: 'reopen';
  readonly deliveryId: string;
  readonly statement: Statement;
}

/** Removes segments of the log that no delivery needs, once the batch is on disk. */
export interface Sweep {
  readonly kind: 'sweep';
}

export type Job = Run | Accept | Reopen | Sweep;

/** The rows that a job's statements returned, in order; or why nothing of it was stored. */
export type Outcome = { readonly rows: readonly SqlRow[] } | { readonly error: string };

interface Committer {
  /** Runs jobs that share a commit, and answers each. A job that is answered with rows is on disk. */
  commit(jobs: readonly Job[], records: Buffer): Promise<readonly Outcome[]>;
  close(): void;
}

/**
 * How long a batch waits for the lock of another process. A request may have to wait for the batch before its own, too,
 * and its sender for ten seconds at most.
 */
const BUSY_PATIENCE_MS = 3_500;

interface Accepting {
  readonly row: RecordedRow;
  readonly record: Buffer;
}

/**
 * Commits into an open db and the log beside it. A batch is one transaction, and in it one append: the bodies are on
 * disk before their rows, and both before a job is answered.
 */
export function createCommitter(db: DatabaseSync, path: string): Committer {
  const run = createRunner(db);
  const claims = openClaims(db);
  const storeRow = createStoreRow(db);
  const noteEnd = createNoteEnd(db);
  const claimant = db.prepare(
    'select id, webhook, webhook_id, sender_delivery_id, claims from deliveries where id = ?',
  );
  const exec = (sql: string) => void run({ sql, parameters: [] });
  let log: BodyLog | null = null;

  async function commit(jobs: readonly Job[], records: Buffer): Promise<readonly Outcome[]> {
    try {
      await beginImmediate(exec, BUSY_PATIENCE_MS);
      // Steps of what is stored come first: a key that one of them takes is taken for what arrives with it.
      const outcomes = jobs.map((job) =>
        job.kind === 'run' || job.kind === 'reopen' ? runJob(job) : { rows: [] },
      );
      const arrived = jobs.flatMap((job) =>
        job.kind === 'accept' ? deduplicate(records.subarray(job.at, job.end)) : [],
      );
      const failed = arrived.length === 0 ? null : append(arrived);
      exec('commit');
      log?.keep();
      const answers = arrived.map(({ row }) => failed ?? accepted(row))[Symbol.iterator]();
      return jobs.map((job, index) => {
        if (job.kind === 'sweep') return sweep();
        return (job.kind === 'accept' ? answers.next().value : outcomes[index]) ?? noAnswer;
      });
    } catch (error) {
      if (db.isTransaction) db.exec('rollback');
      log?.undo();
      claims.reload();
      return jobs.map(() => ({ error: messageOf(error) }));
    }
  }

  function sweep(): Outcome {
    try {
      log ??= openBodyLog(path);
      return { rows: [{ ...sweepLog(db, logFolder(path), log) }] };
    } catch (error) {
      return { error: messageOf(error) };
    }
  }

  function runJob(job: Run | Reopen): Outcome {
    exec('savepoint job');
    try {
      const rows = job.kind === 'run' ? job.statements.flatMap(run) : reopen(job);
      if (job.kind === 'run' && job.claims !== undefined) {
        claims.end(job.claims.deliveryId, job.claims.acted, job.claims.more);
      }
      exec('release job');
      return { rows };
    } catch (error) {
      // A full disk ends the whole transaction; going on would commit the later jobs without the earlier ones.
      if (!db.isTransaction) throw error;
      exec('rollback to job');
      if (job.kind === 'run' && job.claims !== undefined) claims.reload();
      exec('release job');
      return { error: messageOf(error) };
    }
  }

  function reopen({ deliveryId, statement }: Reopen): readonly SqlRow[] {
    const row = claimant.get(deliveryId) as unknown as RecordedRow | undefined;
    if (row === undefined || claims.owner(row) !== null) return [];
    const reopened = run(statement);
    if (reopened.length > 0) claims.begin(row);
    return reopened;
  }

  /** The row and record to store: the delivery's own, or a duplicate's without bytes. */
  function deduplicate(record: Buffer): Accepting {
    const row = packedRow(record);
    const owner = row.claims === '[]' ? null : claims.owner(row);
    if (owner !== null) {
      const duplicate = asDuplicate(row, owner);
      return { row: duplicate, record: recordOf(duplicate, new Uint8Array()) };
    }
    if (row.status !== 'unparsed') claims.begin(row);
    sealRecord(record);
    return { row, record };
  }

  /** Stores accepted deliveries. Null, or why none was stored while the rest of the batch goes on. */
  function append(arrived: readonly Accepting[]): Outcome | null {
    let start: LogPosition;
    try {
      log ??= openBodyLog(path);
      start = log.append(arrived.map(({ record }) => record));
    } catch (error) {
      for (const { row } of arrived) claims.forget(row.id);
      return { error: messageOf(error) };
    }
    let { offset } = start;
    for (const { row, record } of arrived) {
      storeRow(row, { segment: start.segment, offset });
      if (row.status === 'ignored') claims.end(row.id, false);
      offset += record.length;
    }
    noteEnd({ segment: start.segment, offset });
    return null;
  }

  return {
    commit,
    close() {
      log?.close();
      db.close();
    },
  };
}

const noAnswer: Outcome = { error: 'the writer gave no answer' };

function accepted({ status, duplicate_of }: RecordedRow): Outcome {
  return { rows: status === 'duplicate' ? [{ duplicate_of }] : [] };
}

function asDuplicate(row: RecordedRow, owner: string): RecordedRow {
  return { ...row, status: 'duplicate', duplicate_of: owner, reason: `the same as ${owner}`, claims: '[]' };
}
