/** Entry of the writer thread: the only connection that writes. It answers each batch with an outcome per job. */
import { parentPort, workerData } from 'node:worker_threads';
import { createCommitter, type Job, type Outcome } from './committer.ts';
import { openForWriting } from './sqlite.ts';

/** Jobs that share a commit. Sent one at a time: the next when the last was answered. */
export type WriterRequest =
  | {
      readonly jobs: readonly Job[] /** Packed records; they come back with the answer. */;
      readonly records: Uint8Array;
    }
  | 'close';

export interface WriterAnswer {
  readonly outcomes: readonly Outcome[];
  readonly records: Uint8Array;
}

const committer = createCommitter(openForWriting(workerData.path), workerData.path);

parentPort?.on('message', async (request: WriterRequest) => {
  if (request === 'close') {
    committer.close();
    parentPort?.close();
    return;
  }
  const { jobs, records } = request;
  const outcomes = await committer.commit(jobs, Buffer.from(records.buffer));
  parentPort?.postMessage({ outcomes, records } satisfies WriterAnswer, [records.buffer as ArrayBuffer]);
});
