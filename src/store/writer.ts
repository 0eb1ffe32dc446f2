/** Entry of the writer thread: the only connection that writes. It answers each batch with an outcome per job. */
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../errors.ts';
import { createRunner, openForWriting, type SqlRow, type Statement } from './sqlite.ts';

/** Statements that are stored together or not at all. */
export type Job = readonly Statement[];
/** The rows that a job's statements returned, in order; or why nothing of it was stored. */
export type Outcome = { readonly rows: readonly SqlRow[] } | { readonly error: string };
/** Jobs that share a commit. Sent one at a time: the next when the last was answered. */
export type WriterRequest = { readonly jobs: readonly Job[] } | 'close';

const SQLITE_BUSY = 5;
/** Together with SQLite's own 50 ms wait per attempt: about 7 s. */
const BUSY_ATTEMPTS = 100;
const BUSY_PAUSE_MS = 20;

serve(openForWriting(workerData.path));

function serve(db: DatabaseSync): void {
  const commitBatch = createCommitter(db);
  parentPort?.on('message', async (request: WriterRequest) => {
    if (request === 'close') {
      db.close();
      parentPort?.close();
      return;
    }
    const outcomes = await commitBatch(request.jobs);
    parentPort?.postMessage(outcomes);
  });
}

function createCommitter(db: DatabaseSync): (jobs: readonly Job[]) => Promise<readonly Outcome[]> {
  const run = createRunner(db);

  async function commitBatch(jobs: readonly Job[]): Promise<readonly Outcome[]> {
    try {
      await begin();
      const outcomes = jobs.map(runJob);
      db.exec('commit');
      return outcomes;
    } catch (error) {
      if (db.isTransaction) db.exec('rollback');
      return jobs.map(() => ({ error: messageOf(error) }));
    }
  }

  async function begin(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return db.exec('begin immediate');
      } catch (error) {
        if (!isBusy(error) || attempt === BUSY_ATTEMPTS) throw error;
        await delay(BUSY_PAUSE_MS);
      }
    }
  }

  function runJob(job: Job): Outcome {
    db.exec('savepoint job');
    try {
      const rows = job.flatMap(run);
      db.exec('release job');
      return { rows };
    } catch (error) {
      // A full disk ends the whole transaction; going on would commit the later jobs without the earlier ones.
      if (!db.isTransaction) throw error;
      db.exec('rollback to job; release job');
      return { error: messageOf(error) };
    }
  }

  return commitBatch;
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
