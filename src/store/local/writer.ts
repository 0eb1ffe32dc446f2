/** Entry of the writer thread: the only connection of the server that writes to the index. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../errors.ts';
import { indexLog } from './log/index-log.ts';
import { type LogPosition, logFolder } from './log/segments.ts';
import { type OperationName, operations } from './operations/index.ts';
import { openSql, type Sql } from './sql.ts';
import { beginImmediate, openForWriting } from './sqlite.ts';

/** An operation to run. */
export interface Call {
  readonly name: OperationName;
  readonly given: readonly unknown[];
}

/** Work that shares a transaction. Sent one at a time: the next when the last was answered. */
export interface WriterRequest {
  /** The records before this position get their rows first, so that every operation finds the row of its delivery. */
  readonly indexTo: LogPosition;
  readonly calls: readonly Call[];
  /** Whether it is on disk when it is answered. */
  readonly synced: boolean;
}

/** What a call resolved with; or why nothing of it was done. */
export type Outcome = { readonly result: unknown } | { readonly error: string };

export interface WriterAnswer {
  /** In the order of the calls. */
  readonly outcomes: readonly Outcome[];
  /** Why nothing was done, not even indexed; null when the transaction was committed. */
  readonly error: string | null;
  /** Places of the log in which nothing could be read. */
  readonly damaged: readonly string[];
}

/** The request is tried again, because of this. The answer follows. */
export interface WriterWaiting {
  readonly waiting: string;
}

/** How long a transaction waits for the lock of another process. */
const BUSY_PATIENCE_MS = 3_500;

const db = openForWriting(workerData.path);
const folder = logFolder(workerData.path);
const sql = openSql(db);

/** Savepoints copy each page that a call changes, so they are used only once a call has failed. */
async function answer(request: WriterRequest): Promise<WriterAnswer> {
  try {
    return await transact(request, (call) => ({ result: run(call) }));
  } catch (error) {
    if (!db.isTransaction || request.calls.length === 0) return failed(error);
    db.exec('rollback');
    return transact(request, runApart).catch(failed);
  }
}

function failed(error: unknown): WriterAnswer {
  if (db.isTransaction) db.exec('rollback');
  return { outcomes: [], error: messageOf(error), damaged: [] };
}

/** Throws within the transaction when anything fails. */
async function transact(
  { indexTo, calls, synced }: WriterRequest,
  each: (call: Call) => Outcome,
): Promise<WriterAnswer> {
  // Not prepared: SQLite obeys this pragma while it compiles it.
  db.exec(`pragma synchronous = ${synced ? 'full' : 'normal'}`);
  await beginImmediate((text) => sql.run(text), BUSY_PATIENCE_MS);
  const { damaged } = indexLog(sql, folder, { to: indexTo });
  const outcomes = calls.map(each);
  sql.run('commit');
  return { outcomes, error: null, damaged };
}

function run({ name, given }: Call): unknown {
  const operation: (sql: Sql, ...given: never) => unknown = operations[name];
  return operation(sql, ...(given as never));
}

/** Undoes a call that fails alone. */
function runApart(call: Call): Outcome {
  sql.run('savepoint call');
  try {
    const result = run(call);
    sql.run('release call');
    return { result };
  } catch (error) {
    // A full disk ends the whole transaction; going on would commit the later calls without the earlier ones.
    if (!db.isTransaction) throw error;
    sql.run('rollback to call');
    sql.run('release call');
    return { error: messageOf(error) };
  }
}

parentPort?.on('message', async (request: WriterRequest | 'close') => {
  if (request === 'close') {
    db.close();
    parentPort?.close();
    return;
  }
  parentPort?.postMessage(await answer(request));
});
