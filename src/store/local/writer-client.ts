import { failure, type HookctlError, messageOf } from '../../errors.ts';
import { coalesce, timeSlicer } from '../../lib/time-slicer.ts';
import { type EntryName, entryUrl } from '../../package-root.ts';
import { DURABILITY } from './durability.ts';
import type { LogPosition } from './log/segments.ts';
import type { OperationName, OperationTypes } from './operations/index.ts';
import type { Call, Outcome, WriterAnswer, WriterRequest, WriterWaiting } from './writer.ts';

/** The thread that writes to the index. */
export interface Writer {
  /**
   * Runs an operation, and resolves with what it returns once it can be read, or once it is on disk (`durability.ts`). All that
   * wait share one transaction; one that fails is undone alone. Rejects with `store_write` (nothing was stored) or `store_stopped`.
   */
  call<Name extends OperationName>(
    name: Name,
    ...given: Parameters<OperationTypes[Name]>
  ): ReturnType<OperationTypes[Name]>;
  /** Records of deliveries were appended to the log, up to `end`: they get their rows within milliseconds. */
  appended(end: LogPosition, records: number): void;
  /** Resolves when every record that was appended before has its row. Rejects with `store_stopped`. */
  indexed(): Promise<void>;
  /** Records that have no row yet. */
  readonly behind: () => number;
  /** Why the last transaction failed; null when it did not. */
  readonly failure: () => string | null;
  /** Finishes what waits; resolves when the thread has ended. */
  close(): Promise<void>;
}

interface WriterOptions {
  /** Names the store in errors. */
  readonly path: string;
  /** What the thread is told when it starts, default the path. */
  readonly workerData?: object;
  /** The thread's program, default that of SQLite. */
  readonly entry?: EntryName;
  /** Where the index ends when the thread starts. */
  readonly end: LogPosition;
  /** Called with each error of SQLite. */
  readonly failed: (reason: string) => void;
  /** Called with each place of the log in which nothing could be read. */
  readonly damaged: (at: string) => void;
  /** Called with what else the thread says. */
  readonly heard?: (said: object) => void;
  /** Called when a transaction ended, before those that wait for it go on. */
  readonly answered: () => void;
}

interface Waiting {
  readonly call: Call;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: HookctlError) => void;
}

interface IndexWaiting {
  readonly count: number;
  readonly resolve: () => void;
  readonly reject: (error: HookctlError) => void;
}

/** Between two transactions, in milliseconds: what comes meanwhile shares the next one. Nothing waits after a quiet moment. */
const PACE_MS = 4;
/** The same under load, where a transaction for more calls costs less for each. */
const LOAD_PACE_MS = 12;
const MANY_CALLS = 8;
/** The same while only rows for many records are to be made, which nothing waits for. */
const INDEX_PACE_MS = 25;
const MANY_RECORDS = 8;
/** So long rows for records wait at least, in milliseconds: the outcome of a delivery comes soon after it, and shares the transaction. */
const OUTCOME_MS = 2;
/** A transaction that failed is tried again after this time, in milliseconds, even if nothing else is asked for. */
const RETRY_MS = 1_000;

export function startWriter({
  entry = 'store/local/writer',
  path,
  workerData = { path },
  end,
  failed,
  damaged,
  answered,
  heard = () => undefined,
}: WriterOptions): Writer {
  // Here, because commands that only read start no thread.
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const worker = new Worker(entryUrl(entry), { workerData });
  const ended = Promise.withResolvers<void>();
  const inTurns = timeSlicer();
  let waiting: Waiting[] = [];
  let indexWaiting: IndexWaiting[] = [];
  let inFlight: { readonly calls: readonly Waiting[]; readonly appended: number } | null = null;
  let indexTo = end;
  /** Records appended, and those of them that have rows. */
  let appended = 0;
  /** When the first of those without a row came. */
  let appendedAt = 0;
  let lastRecords = 0;
  let lastCalls = 0;
  let indexed = 0;
  let timer: NodeJS.Timeout | null = null;
  let sentAt = Number.NEGATIVE_INFINITY;
  /** The same of the last one with calls: rows of records hold up no call. */
  let calledAt = Number.NEGATIVE_INFINITY;
  let isClosing = false;
  let lastError: string | null = null;
  let stopped: HookctlError | null = null;

  /** Deferred, so that the other calls of this turn share the transaction. */
  const soon = coalesce(schedule);

  /** Sends what waits, at once or when it is its time. */
  function schedule(): void {
    if (inFlight !== null || stopped !== null) return;
    const isIdle = waiting.length === 0 && appended === indexed;
    clearTimeout(timer ?? undefined);
    const left = dueAt() - performance.now();
    if (isIdle || isClosing || left <= 0) send();
    else timer = setTimeout(send, left);
  }

  function dueAt(): number {
    if (waiting.length > 0) return calledAt + pace();
    const paced = sentAt + pace();
    return indexWaiting.length > 0 ? paced : Math.max(paced, appendedAt + OUTCOME_MS);
  }

  function pace(): number {
    if (lastError !== null && waiting.length === 0) return RETRY_MS;
    const isUrgent = waiting.length > 0 || indexWaiting.length > 0 || lastRecords < MANY_RECORDS;
    if (!isUrgent) return INDEX_PACE_MS;
    return lastCalls < MANY_CALLS ? PACE_MS : LOAD_PACE_MS;
  }

  function send(): void {
    if (inFlight !== null || stopped !== null) return;
    if (waiting.length === 0 && appended === indexed) {
      if (isClosing) worker.postMessage('close');
      return;
    }
    inFlight = { calls: waiting, appended };
    lastCalls = waiting.length;
    waiting = [];
    sentAt = performance.now();
    if (lastCalls > 0) calledAt = sentAt;
    const calls = inFlight.calls.map(({ call }) => call);
    const synced = calls.some(({ name }) => DURABILITY[name] === 'synced');
    worker.postMessage({ indexTo, calls, synced } satisfies WriterRequest);
  }

  function answer({ outcomes, error, damaged: places }: WriterAnswer): void {
    if (inFlight === null) return;
    const { calls, appended: reached } = inFlight;
    inFlight = null;
    lastError = error;
    answered();
    if (error === null) settleIndexed(reached);
    else failed(error);
    // What has no row yet is found in the log at the next start.
    if (error !== null && isClosing && waiting.length === 0) worker.postMessage('close');
    else schedule();
    for (const place of places) damaged(place);
    for (const [index, each] of calls.entries()) {
      const outcome = outcomes[index] ?? { error: error ?? 'the writer gave no answer' };
      inTurns(() => settle(each, outcome));
    }
  }

  /** Records that have rows, or are about to get them. */
  function inFlightTo(): number {
    return inFlight?.appended ?? indexed;
  }

  function settleIndexed(reached: number): void {
    lastRecords = reached - indexed;
    indexed = reached;
    const done = indexWaiting.filter(({ count }) => count <= reached);
    if (done.length === 0) return;
    indexWaiting = indexWaiting.filter(({ count }) => count > reached);
    for (const { resolve } of done) resolve();
  }

  function settle({ resolve, reject }: Waiting, outcome: Outcome): void {
    if ('result' in outcome) {
      resolve(outcome.result);
    } else {
      failed(outcome.error);
      reject(failure('store_write', `Nothing was stored in ${path}: ${outcome.error}.`));
    }
  }

  function stop(cause: string): void {
    stopped ??= failure('store_stopped', `The store ${path} was closed: ${cause}.`, {
      fix: 'Start hookctl again: what is stored is taken up, what was being written may be missing.',
    });
    clearTimeout(timer ?? undefined);
    for (const { reject } of [...(inFlight?.calls ?? []), ...waiting, ...indexWaiting]) reject(stopped);
    inFlight = null;
    waiting = [];
    indexWaiting = [];
  }

  worker.on('message', (said: WriterAnswer | WriterWaiting) => {
    if ('waiting' in said) lastError = said.waiting;
    else if ('outcomes' in said) answer(said);
    else heard(said);
  });
  worker.on('error', (error) => stop(`its writer failed: ${messageOf(error)}`));
  worker.on('exit', () => {
    stop('its writer has ended');
    ended.resolve();
  });

  function refusal(): HookctlError | null {
    return stopped ?? (isClosing ? failure('store_stopped', `The store ${path} is being closed.`) : null);
  }

  function enqueue(call: Call): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const refused = refusal();
    if (refused !== null) reject(refused);
    else waiting.push({ call, resolve, reject });
    soon();
    return promise;
  }

  return {
    call: (name, ...given) => enqueue({ name, given }) as ReturnType<OperationTypes[typeof name]>,
    appended(position, records) {
      if (appended === inFlightTo()) appendedAt = performance.now();
      indexTo = position;
      appended += records;
      soon();
    },
    indexed() {
      if (indexed === appended) return Promise.resolve();
      if (stopped !== null) return Promise.reject(stopped);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      indexWaiting.push({ count: appended, resolve, reject });
      soon();
      return promise;
    },
    behind: () => appended - indexed,
    failure: () => lastError,
    close() {
      isClosing = true;
      send();
      return ended.promise;
    },
  };
}

/** Every operation as a method. */
export function forwarded({ call }: Writer): OperationTypes {
  const names = Object.keys(DURABILITY) as OperationName[];
  const methods = names.map((name) => [
    name,
    (...given: Parameters<OperationTypes[typeof name]>) => call(name, ...given),
  ]);
  return Object.fromEntries(methods);
}
