import { setTimeout as delay } from 'node:timers/promises';
import { failure } from '../errors.ts';
import { type Holder, lockFolder } from './lock.ts';
import { finishSwap, isSwapping } from './swap.ts';

const PATIENCE_MS = 10_000;
const RETRY_MS = 50;

/**
 * For whoever opens a data folder in which a restore was begun and not ended: waits while a living process is at it,
 * else ends it. Throws `restoring` when that takes too long.
 */
export async function endSwap(
  dataFolder: string,
  { pid, command }: Pick<Holder, 'pid' | 'command'>,
): Promise<void> {
  const startedAt = Date.now();
  while (isSwapping(dataFolder)) {
    const taken = await lockFolder(dataFolder, { pid, command, version: '', startedAt, server: null });
    if (taken.ok) {
      try {
        return await finishSwap(dataFolder);
      } finally {
        taken.lock.release();
      }
    }
    if (Date.now() - startedAt > PATIENCE_MS) {
      throw failure('restoring', `${dataFolder} is being restored`, { fix: 'Type it again in a moment.' });
    }
    await delay(RETRY_MS);
  }
}
