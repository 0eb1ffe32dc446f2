import { join } from 'node:path';
import { failure, messageOf } from '../errors.ts';
import { stagedNamed } from '../store/staging.ts';
import { swapIn } from '../store/swap.ts';

/** What a restore did. */
export interface RestoredView {
  /** Absolute path of what was in force before. */
  readonly former: string;
}

/** Puts in force what `hookctl restore` staged in the data folder; resolves when it is served. */
export type Restore = (staged: string) => Promise<RestoredView>;

export interface Restoring {
  readonly restore: Restore;
  /** Resolves when none is under way. */
  ended(): Promise<void>;
}

export interface RestoreOptions {
  readonly dataFolder: string;
  /** Throws ConfigError when a staged state can't be served with the project as it is. */
  readonly check: (folder: string) => Promise<void>;
  /** Takes no more requests, and closes all that works in the folder. */
  readonly pause: () => Promise<void>;
  /** Opens the folder anew, and takes requests again. */
  readonly resume: () => Promise<void>;
  readonly tell: (state: 'restoring' | 'restored', reason: string) => void;
}

/**
 * Restores while serving. What can't be served is put back: after each call, also one that throws, the folder is
 * served, in its old state or in the new one.
 */
export function createRestore({ dataFolder, check, pause, resume, tell }: RestoreOptions): Restoring {
  let running: Promise<RestoredView> | null = null;

  async function exchange(staged: string, former: string): Promise<void> {
    tell('restoring', 'senders are told to come again; finishing what runs');
    await pause();
    try {
      await swapIn({ dataFolder, staged, former });
    } catch (error) {
      await resume();
      throw error;
    }
  }

  async function served(former: string): Promise<void> {
    try {
      await resume();
    } catch (error) {
      const failed = former.replace('before-', 'failed-');
      await pause();
      await swapIn({ dataFolder, staged: former, former: failed });
      await resume();
      throw failure('restore_failed', `it can't be served (${messageOf(error)}); the former state is back`, {
        fix: `What was restored is in ${join(dataFolder, failed)}.`,
      });
    }
  }

  async function run(name: string): Promise<RestoredView> {
    const { staged, former } = stagedNamed(dataFolder, name);
    await check(join(dataFolder, staged));
    await exchange(staged, former);
    await served(former);
    const where = join(dataFolder, former);
    tell('restored', `serving what was restored; what was in force before is in ${where}`);
    return { former: where };
  }

  return {
    async restore(name) {
      if (running !== null) throw failure('restoring', 'another restore is under way');
      running = run(name);
      try {
        return await running;
      } finally {
        running = null;
      }
    },
    async ended() {
      await running?.catch(() => undefined);
    },
  };
}
