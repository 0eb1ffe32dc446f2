import { readdirSync } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { failure } from '../../errors.ts';
import { syncDirectory } from '../../lib/files/atomic-file.ts';
import { closeDatabase, type FileLock, type Holder, lockFile, lockFolder } from './lock.ts';
import { databasePath } from './sqlite.ts';

/** Two folders in the data folder, by their names. */
export interface Swap {
  /** Holds the state to be put in force, whole and on disk. */
  readonly staged: string;
  /** Takes the state that is replaced; it does not exist yet. */
  readonly former: string;
}

const DATABASE = /^hookctl\.db(?:-wal|-shm)?$/;
/** Locks, the tokens of the management API and the files of a tunnel belong to this machine. */
const STAYS =
  /^(?:token|tokens\.json|serve\.json|.*\.lock(?:-.*)?|\..*\.tmp|\.restore-.*|before-restore-.*|tunnel)$/;
/**
 * hookctl 0.1.0 backed these up. With the token of a foreign backup its maker could manage this server; the others
 * say what was validated on another machine.
 */
const OF_THIS_MACHINE = /^(?:token|tokens\.json|webhooks\.checked\.json|listing\.json)$/;
const FORMER = /^before-restore-[0-9A-Z-]+$/;
/**
 * A staged folder that is being swapped says by its name what happens: `.restore-out-…` while replaced names leave, then
 * `.restore-in-…` while its own come.
 */
const UNDER_WAY = /^\.restore-(out|in)-(.+)$/;
const STAGED = /^\.restore-/;
/** An edit of dynamic webhooks that is under way ends sooner. */
const PATIENCE_MS = 15_000;

/** Whether a file or folder of the data folder is backed up as it is; the db is copied as SQLite does it. */
export function isCopied(name: string): boolean {
  return !DATABASE.test(name) && !STAYS.test(name) && !OF_THIS_MACHINE.test(name);
}

/** Whether a name of the data folder is neither backed up nor restored. */
export function staysInPlace(name: string): boolean {
  return STAYS.test(name);
}

/** Whether a backup may name a file that is left out: it is made anew on each machine. */
export function isOfThisMachine(name: string): boolean {
  return OF_THIS_MACHINE.test(name);
}

/** Whether a name of the data folder is a state that a restore replaced. */
export function isFormer(name: string): boolean {
  return FORMER.test(name);
}

/** Names for a swap that begins at this moment, in epoch milliseconds. */
export function swapNames(at: number): Swap {
  const stamp = new Date(at).toISOString().replaceAll(/[:.]/g, '-');
  return { staged: `.restore-${stamp}`, former: `before-restore-${stamp}` };
}

/**
 * Whether a swap has started and not ended: the data folder then holds neither the old state nor the new one, and
 * `finishSwap` ends it.
 */
export function isSwapping(dataFolder: string): boolean {
  try {
    return readdirSync(dataFolder).some((name) => UNDER_WAY.test(name));
  } catch {
    // Absent or unreadable: opening it gives the better message.
    return false;
  }
}

/**
 * Puts a staged state in the place of what is in force; the caller holds the folder and has closed the store. Killed at
 * any moment, it has either not started or is ended by `finishSwap`. `alone` runs once no other process works in the folder,
 * before anything is moved. Throws `in_use`, with nothing changed, while another process has the db open or edits the
 * dynamic webhooks. A failure before the first move removes the staged state.
 */
export async function swapIn(
  dataFolder: string,
  { staged }: Swap,
  alone?: () => Promise<void>,
): Promise<void> {
  const locks: (FileLock | null)[] = [];
  try {
    locks.push(await lockFile(join(dataFolder, 'webhooks.json.lock'), PATIENCE_MS));
    locks.push(await closeDatabase(databasePath(dataFolder)));
    if (locks.includes(null))
      throw failure('in_use', `another hookctl has ${dataFolder} open; nothing was changed`, {
        fix: 'End what follows or reads it (a list with --follow, an MCP session), then type the command again.',
      });
    await alone?.();
    const leaving = staged.replace(STAGED, '.restore-out-');
    await rename(join(dataFolder, staged), join(dataFolder, leaving));
    await syncDirectory(dataFolder);
    await finish(dataFolder, leaving);
  } catch (error) {
    await rm(join(dataFolder, staged), { recursive: true, force: true });
    throw error;
  } finally {
    for (const lock of locks) lock?.release();
  }
}

/** Ends a swap that a killed process had started, and removes what was only staged; the caller holds the folder. */
export async function finishSwap(dataFolder: string): Promise<void> {
  for (const name of await readdir(dataFolder)) {
    if (UNDER_WAY.test(name)) await finish(dataFolder, name);
    else if (STAGED.test(name)) await rm(join(dataFolder, name), { recursive: true, force: true });
  }
}

/** The same for a process that does not hold the folder. Throws `restoring` while another one does. */
export async function endSwap(dataFolder: string, holder: Holder): Promise<void> {
  const taken = await lockFolder(dataFolder, holder);
  if (!taken.ok) {
    if (!isSwapping(dataFolder)) return;
    throw failure('restoring', `${dataFolder} is being restored`, { fix: 'Type it again in a moment.' });
  }
  try {
    await finishSwap(dataFolder);
  } finally {
    taken.lock.release();
  }
}

/** Goes on from any step: a name is in its new place already, or is still to be moved there. */
async function finish(dataFolder: string, name: string): Promise<void> {
  const [, step, stamp] = UNDER_WAY.exec(name) ?? [];
  const coming = join(dataFolder, `.restore-in-${stamp}`);
  if (step === 'out') {
    const former = join(dataFolder, `before-restore-${stamp}`);
    await mkdir(former, { recursive: true, mode: 0o700 });
    await moveAll(dataFolder, former, (entry) => !staysInPlace(entry));
    await rename(join(dataFolder, name), coming);
  }
  await moveAll(coming, dataFolder, () => true);
  await rmdir(coming);
  await syncDirectory(dataFolder);
}

/** On disk when it resolves: after a power loss a name that came must not be taken for one that is to leave. */
async function moveAll(from: string, to: string, isMoved: (name: string) => boolean): Promise<void> {
  for (const name of (await readdir(from)).filter(isMoved)) await rename(join(from, name), join(to, name));
  await syncDirectory(to);
  await syncDirectory(from);
}
