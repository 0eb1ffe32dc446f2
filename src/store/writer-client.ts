import type { SQLInputValue } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import type { CompiledQuery } from 'kysely';
import { failure, type HookctlError, messageOf } from '../errors.ts';
import type { Statement } from './sqlite.ts';
import type { Job, Outcome, WriterRequest } from './writer.ts';

/** The thread that writes. */
export interface Writer {
  /**
   * Runs the queries as one job and resolves, once they are on disk, with all the rows that they returned. All jobs
   * that wait share one commit; one that fails is undone alone.
   *
   * Throws `store_write` (nothing was stored), `store_stopped` (the thread ended, and every later write rejects).
   */
  write<Row>(queries: readonly CompiledQuery<Row>[]): Promise<readonly Row[]>;
  /** Finishes what waits; resolves when the thread has ended. */
  close(): Promise<void>;
}

interface Waiting {
  readonly job: Job;
  readonly resolve: (rows: Extract<Outcome, { rows: unknown }>['rows']) => void;
  readonly reject: (error: HookctlError) => void;
}

export function startWriter({ path }: { readonly path: string }): Writer {
  const worker = new Worker(writerUrl(), { workerData: { path } });
  const ended = Promise.withResolvers<void>();
  let waiting: Waiting[] = [];
  let inFlight: readonly Waiting[] = [];
  let closing = false;
  let stopped: HookctlError | null = null;

  function next(): void {
    if (inFlight.length > 0) return;
    if (waiting.length > 0) {
      inFlight = waiting;
      waiting = [];
      send({ jobs: inFlight.map(({ job }) => job) });
    } else if (closing) {
      send('close');
    }
  }

  function send(request: WriterRequest): void {
    worker.postMessage(request, request === 'close' ? [] : buffersOf(request.jobs));
  }

  function answer(outcomes: readonly Outcome[]): void {
    const answered = inFlight;
    inFlight = [];
    next();
    for (const [index, { resolve, reject }] of answered.entries()) {
      const outcome = outcomes[index] ?? { error: 'the writer gave no answer' };
      if ('rows' in outcome) resolve(outcome.rows);
      else reject(failure('store_write', `Nothing was stored in ${path}: ${outcome.error}.`));
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

  return {
    write<Row>(queries: readonly CompiledQuery<Row>[]) {
      const { promise, resolve, reject } = Promise.withResolvers<readonly unknown[]>();
      if (stopped !== null) reject(stopped);
      else if (closing) reject(failure('store_stopped', `The store ${path} is being closed.`));
      else waiting.push({ job: queries.map(toStatement), resolve, reject });
      next();
      return promise as Promise<readonly Row[]>;
    },
    close() {
      closing = true;
      next();
      return ended.promise;
    },
  };
}

/** TypeScript rewrites the extensions of imports, but not this one. */
function writerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './writer.ts' : './writer.js', import.meta.url);
}

function toStatement({ sql, parameters }: CompiledQuery<unknown>): Statement {
  return { sql, parameters: parameters.map(ownBytes) as SQLInputValue[] };
}

/**
 * A copy of its own, to be transferred: the caller's bytes stay whole, a pooled Buffer cannot be transferred, and
 * cloning a small view would copy all of the memory behind it.
 */
function ownBytes(parameter: unknown): unknown {
  return parameter instanceof Uint8Array ? new Uint8Array(parameter) : parameter;
}

function buffersOf(jobs: readonly Job[]): ArrayBuffer[] {
  const parameters = jobs.flatMap((job) => job.flatMap((statement) => statement.parameters));
  return parameters.flatMap((value) => (value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : []));
}
