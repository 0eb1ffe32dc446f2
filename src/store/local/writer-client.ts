import type { SQLInputValue } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import type { CompiledQuery } from 'kysely';
import { failure, type HookctlError, messageOf } from '../../errors.ts';
import { coalesce, timeSlicer } from '../../lib/time-slicer.ts';
import { entryUrl } from '../../package-root.ts';
import type { Swept } from '../selection.ts';
import type { Job, Outcome, Reopen, Run, Sweep } from './committer.ts';
import { createPacking, type PendingRecord, type RecordedRow } from './log/record.ts';
import type { Statement } from './sqlite.ts';
import type { WriterAnswer, WriterRequest } from './writer.ts';

/** The thread that writes. Every method rejects with `store_write` (nothing was stored) or `store_stopped`. */
export interface Writer {
  /**
   * Runs the queries as one job and resolves, once they are on disk, with all the rows that they returned. All jobs
   * that wait share one commit; one that fails is undone alone.
   */
  write<Row>(queries: readonly CompiledQuery<Row>[]): Promise<readonly Row[]>;
  /** The same for the end of a delivery: its keys are kept, or let go. */
  writeOutcome<Row>(
    queries: readonly CompiledQuery<Row>[],
    claims: NonNullable<Run['claims']>,
  ): Promise<readonly Row[]>;
  /** Stores a delivery; resolves with the one of which it is a duplicate, or null. */
  accept(row: RecordedRow, body: Uint8Array): Promise<string | null>;
  /** Makes a delivery pending again by a query that returns its row; false when that or one of its keys is not free. */
  reopen(deliveryId: string, query: CompiledQuery<unknown>): Promise<boolean>;
  /** Removes segments of the log that no delivery needs. */
  sweep(): Promise<Swept>;
  /** Finishes what waits; resolves when the thread has ended. */
  close(): Promise<void>;
}

type Rows = Extract<Outcome, { rows: unknown }>['rows'];

interface Waiting {
  readonly job: Run | Reopen | Sweep | PendingRecord;
  readonly resolve: (rows: Rows) => void;
  readonly reject: (error: HookctlError) => void;
}

/**
 * Most jobs without a waiting sender in one batch while senders come now and then: a request may have to wait for the batch
 * before its own, and so many jobs are on disk within milliseconds. With no sender, or many, large batches get more done.
 */
const SHORT_BATCH = 12;
const FEW_SENDERS = 4;
/** In milliseconds: so soon after one sender, another may come at any moment. */
const NOW_AND_THEN = 1_000;

interface WriterOptions {
  readonly path: string;
  /** Called with each error that a job came back with. */
  readonly failed?: (reason: string) => void;
}

export function startWriter({ path, failed }: WriterOptions): Writer {
  const worker = new Worker(entryUrl('store/local/writer'), { workerData: { path } });
  const ended = Promise.withResolvers<void>();
  const packing = createPacking();
  const inTurns = timeSlicer();
  let waiting: Waiting[] = [];
  let lastSenderAt = Number.NEGATIVE_INFINITY;
  let inFlight: readonly Waiting[] = [];
  let closing = false;
  let stopped: HookctlError | null = null;

  /** Deferred, so that the other requests of this turn share the commit. */
  const soon = coalesce(next);

  function next(): void {
    if (inFlight.length > 0) return;
    if (waiting.length > 0) {
      inFlight = takeBatch();
      sendBatch(inFlight.map(({ job }) => job));
    } else if (closing) {
      worker.postMessage('close' satisfies WriterRequest);
    }
  }

  /** All jobs that senders wait for, and as many others as delay none of them. */
  function takeBatch(): readonly Waiting[] {
    const senders = waiting.filter(({ job }) => 'body' in job);
    if (senders.length > 0) lastSenderAt = performance.now();
    const isShort = senders.length <= FEW_SENDERS && performance.now() - lastSenderAt < NOW_AND_THEN;
    const inside = waiting.filter(({ job }) => !('body' in job));
    const taken = isShort ? inside.slice(0, SHORT_BATCH) : inside;
    waiting = inside.slice(taken.length);
    return [...senders, ...taken];
  }

  function sendBatch(batch: readonly Waiting['job'][]): void {
    const { records, packed } = packing.pack(batch.filter((job) => 'body' in job));
    const positions = packed.values();
    const jobs = batch.map((job): Job => {
      if (!('body' in job)) return job;
      const { at = 0, end = 0 } = positions.next().value ?? {};
      return { kind: 'accept', at, end };
    });
    worker.postMessage({ jobs, records } satisfies WriterRequest, [records.buffer]);
  }

  function answer({ outcomes, records }: WriterAnswer): void {
    const answered = inFlight;
    inFlight = [];
    packing.returned(records);
    next();
    for (const [index, waited] of answered.entries()) {
      const outcome = outcomes[index] ?? { error: 'the writer gave no answer' };
      // A sender waits for an accept; after each of hundreds of other jobs there is work to do.
      if ('body' in waited.job) settle(waited, outcome);
      else inTurns(() => settle(waited, outcome));
    }
  }

  function settle({ resolve, reject }: Waiting, outcome: Outcome): void {
    if ('rows' in outcome) {
      resolve(outcome.rows);
    } else {
      failed?.(outcome.error);
      reject(failure('store_write', `Nothing was stored in ${path}: ${outcome.error}.`));
    }
  }

  function stop(cause: string): void {
    stopped ??= failure('store_stopped', `The store ${path} was closed: ${cause}.`, {
      fix: 'Start hookctl again: what is stored is taken up, what was being written may be missing.',
    });
    for (const { reject } of [...inFlight, ...waiting]) reject(stopped);
    inFlight = [];
    waiting = [];
  }

  worker.on('message', answer);
  worker.on('error', (error) => stop(`its writer failed: ${messageOf(error)}`));
  worker.on('exit', () => {
    stop('its writer has ended');
    ended.resolve();
  });

  function enqueue(job: Waiting['job']): Promise<Rows> {
    const { promise, resolve, reject } = Promise.withResolvers<Rows>();
    if (stopped !== null) reject(stopped);
    else if (closing) reject(failure('store_stopped', `The store ${path} is being closed.`));
    else waiting.push({ job, resolve, reject });
    if (inFlight.length === 0) soon();
    return promise;
  }

  return {
    write: (queries) =>
      enqueue({ kind: 'run', statements: queries.map(toStatement) }) as Promise<readonly never[]>,
    writeOutcome: (queries, claims) =>
      enqueue({ kind: 'run', statements: queries.map(toStatement), claims }) as Promise<readonly never[]>,
    async accept(row, body) {
      const [first] = await enqueue({ row: JSON.stringify(row), body });
      return first === undefined ? null : String(first.duplicate_of);
    },
    async reopen(deliveryId, query) {
      return (await enqueue({ kind: 'reopen', deliveryId, statement: toStatement(query) })).length > 0;
    },
    async sweep() {
      const [swept] = await enqueue({ kind: 'sweep' });
      return { segments: Number(swept?.segments), bytes: Number(swept?.bytes) };
    },
    close() {
      closing = true;
      next();
      return ended.promise;
    },
  };
}

function toStatement({ sql, parameters }: CompiledQuery<unknown>): Statement {
  return { sql, parameters: parameters as SQLInputValue[] };
}
