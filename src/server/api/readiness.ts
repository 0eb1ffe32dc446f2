import { statfs } from 'node:fs/promises';
import { messageOf } from '../../errors.ts';
import type { Store } from '../../store/store.ts';

/** Below this, SQLite's log and the files of tasks may not find room for what comes next. */
export const MIN_FREE_BYTES = 64 * 1024 * 1024;
/** Looking costs a write; more frequent requests get the same answer. */
const FRESH_MS = 1_000;
const PATIENCE_MS = 3_000;

interface ReadinessSource {
  readonly dataFolder: string;
  readonly store: Pick<Store, 'probe'>;
  readonly queueDepth: () => number;
  /** Deliveries that may wait. */
  readonly queueLimit: number;
  /** Milliseconds that only go forward. */
  readonly now: () => number;
}

/** Says why a delivery could not be stored now; nothing: it could. */
export type Readiness = () => Promise<readonly string[]>;

/** Looks at the queue, the free space, and whether a write goes all the way to the disk. */
export function createReadiness(source: ReadinessSource): Readiness {
  let known: { readonly at: number; readonly reasons: Promise<readonly string[]> } | null = null;
  return () => {
    const at = source.now();
    if (known === null || at - known.at > FRESH_MS) known = { at, reasons: look(source) };
    return known.reasons;
  };
}

async function look(source: ReadinessSource): Promise<readonly string[]> {
  const found = await Promise.all([space(source), written(source), queue(source)]);
  return found.filter((reason) => reason !== null);
}

async function space({ dataFolder }: ReadinessSource): Promise<string | null> {
  try {
    const { bavail, bsize } = await statfs(dataFolder);
    const free = bavail * bsize;
    if (free >= MIN_FREE_BYTES) return null;
    return `only ${Math.floor(free / 1e6)} MB are free where ${dataFolder} is`;
  } catch (error) {
    return `${dataFolder} can't be looked at: ${messageOf(error)}`;
  }
}

async function written({ store }: ReadinessSource): Promise<string | null> {
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(
    () => late.resolve(`a write takes longer than ${PATIENCE_MS / 1000} s`),
    PATIENCE_MS,
  );
  try {
    return await Promise.race([store.probe().then(() => null), late.promise]);
  } catch (error) {
    return messageOf(error);
  } finally {
    clearTimeout(timer);
  }
}

async function queue({ queueDepth, queueLimit }: ReadinessSource): Promise<string | null> {
  const depth = queueDepth();
  return depth < queueLimit ? null : `${depth} deliveries wait already`;
}
