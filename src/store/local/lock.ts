import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { explained } from './damage.ts';
import { isLocked, lockFile } from './file-lock.ts';

/** Who works on a data folder. */
export interface Holder {
  readonly pid: number;
  /** The hookctl command that holds it: `serve`, `replay`, … */
  readonly command: string;
  readonly version: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Where the server listens, once it does; null for other commands. */
  readonly server: ServerAddress | null;
}

export interface ServerAddress {
  readonly ingressHost: string;
  readonly ingressPort: number;
  readonly managementPort: number;
  /** That the user named; a tunnel's own is asked of the server. */
  readonly publicUrl: string | null;
  /** By which the ingress knows requests of our own programs: of a relay client, and samples of `hookctl trigger`. */
  readonly relayKey: string;
}

export interface FolderLock {
  /** Says more about the holder, for those who find the lock taken. */
  describe(holder: Holder): void;
  release(): void;
}

type LockResult =
  | { readonly ok: true; readonly lock: FolderLock }
  | { readonly ok: false; readonly holder: Holder | null };

/** A look by `currentHolder` takes the lock for a moment; who really holds it still does after this. */
const PATIENCE_MS = 300;

/**
 * Takes the data folder, which exists, for this process. The JSON beside the lock only tells who has it. Throws
 * `store_unusable` where nothing can be written.
 */
export async function lockFolder(dataFolder: string, holder: Holder): Promise<LockResult> {
  const held = await lockFile(lockPath(dataFolder), PATIENCE_MS);
  if (held === null) return { ok: false, holder: readHolder(dataFolder) };
  const path = holderPath(dataFolder);
  const describe = (value: Holder) => writeFileSync(path, JSON.stringify(value), { mode: 0o600 });
  try {
    describe(holder);
  } catch (error) {
    held.release();
    throw explained(error, path);
  }
  return {
    ok: true,
    lock: {
      describe,
      release() {
        rmSync(path, { force: true });
        held.release();
      },
    },
  };
}

/** Who holds the folder now; null when nobody does. */
export function currentHolder(dataFolder: string): Holder | null {
  const holder = readHolder(dataFolder);
  const path = lockPath(dataFolder);
  return holder !== null && existsSync(path) && isLocked(path) ? holder : null;
}

function lockPath(dataFolder: string): string {
  return join(dataFolder, 'serve.lock');
}

function holderPath(dataFolder: string): string {
  return join(dataFolder, 'serve.json');
}

/** Null when there is none or it is just being written. */
function readHolder(dataFolder: string): Holder | null {
  try {
    return JSON.parse(readFileSync(holderPath(dataFolder), 'utf8')) as Holder;
  } catch {
    return null;
  }
}
