import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A small disk of its own. */
export interface SmallDisk {
  /** Leaves no byte free. */
  fill(): void;
  /** Frees what `fill` took. */
  free(): void;
  unmount(): void;
}

const BLOCK = Buffer.alloc(4_096);

/** Mounts a tmpfs on a folder, private to its owner. */
export function mountSmallDisk(folder: string, megabytes: number): SmallDisk {
  mount('-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'tmpfs', folder);
  const ballast = join(folder, 'ballast');
  return {
    fill() {
      const fd = openSync(ballast, 'a');
      try {
        for (;;) writeSync(fd, BLOCK);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        closeSync(fd);
      }
    },
    free: () => rmSync(ballast, { force: true }),
    // Lazily: a server may still have files open.
    unmount: () => void spawnSync('umount', ['-l', folder]),
  };
}

/** Makes a folder read-only, also for root; returns what undoes it. */
export function mountReadOnly(folder: string): () => void {
  mount('--bind', folder, folder);
  mount('-o', 'remount,ro,bind', folder);
  return () => void spawnSync('umount', ['-l', folder]);
}

function mount(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr.trim()}`);
}
