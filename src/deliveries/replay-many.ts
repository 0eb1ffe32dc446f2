import { HookctlError } from '../errors.ts';
import type { DispatchResult, PipelineContext } from './context.ts';
import type { Queue } from './queue.ts';
import { storedSource, storeReplay, untilSettled } from './replay.ts';

/** What became of one of many. */
export type Replayed =
  | { readonly source: string; readonly settled: DispatchResult }
  /** Nothing was made of it: no bytes are kept, they do not parse, its webhook is gone. */
  | { readonly source: string; readonly refused: string };

/** Read and stored at once. They share a commit, and the thread that answers senders has its turn between them. */
const AT_ONCE = 16;

/**
 * Replays stored deliveries as one batch: all are stored, in this order, then worked off like those that came in.
 * Resolves when the last is settled. One that can't be replayed stops no other.
 */
export async function replayMany(
  context: PipelineContext,
  queue: Queue,
  ids: readonly string[],
  { replies, where }: { readonly replies: boolean; readonly where: string },
): Promise<readonly Replayed[]> {
  const results: Promise<Replayed>[] = [];
  let next = 0;

  async function lane(): Promise<void> {
    for (;;) {
      const index = next++;
      const source = ids[index];
      if (source === undefined) return;
      const stored = await store(source).catch((error: unknown) => refusal(source, error));
      // Not waited for here: what is stored need not be worked off for the next to be stored.
      results[index] = 'refused' in stored ? Promise.resolve(stored) : settle(source, stored);
    }
  }

  async function store(id: string) {
    return storeReplay(context, storedSource(context.store, id, where), replies);
  }

  async function settle(source: string, stored: Awaited<ReturnType<typeof store>>): Promise<Replayed> {
    try {
      return { source, settled: await untilSettled(queue, stored) };
    } catch (error) {
      return refusal(source, error);
    }
  }

  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return Promise.all(results);
}

function refusal(source: string, error: unknown): Replayed & { readonly refused: string } {
  if (error instanceof HookctlError) return { source, refused: error.message };
  throw error;
}
