import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { failure } from '../../errors.ts';
import { syncDirectory, writeFileAtomic } from '../../lib/files/atomic-file.ts';
import { closedDatabase } from './closed-database.ts';
import { type Holder, lockFile, lockFolder } from './lock.ts';
import { databasePath } from './sqlite.ts';

/** What is to change places. It is on disk before the first rename, so that whoever finds it can go on. */
interface Journal {
  /** Folder with the new state, in the data folder. */
  readonly staged: string;
  /** Folder that takes the state of before. */
  readonly former: string;
  /** Names that leave. */
  readonly out: readonly string[];
  /** Names that come. */
  readonly in: readonly string[];
}

interface SwapOptions {
  readonly dataFolder: string;
  /** Name of the folder in the data folder whose content is to be in force, whole and on disk. */
  readonly staged: string;
  /** Name of the folder that takes what is in force now; it does not exist. */
  readonly former: string;
  /** Runs once nothing else works in the folder, before anything is moved. */
  readonly alone?: () => Promise<void>;
  /** Told after each step that is on disk. */
  readonly moved?: (step: string) => void;
}

const JOURNAL = 'restore.json';
const DATABASE = /^hookctl\.db(?:-wal|-shm)?$/;
/** Locks, the token of the management API and the files of a tunnel belong to this machine. */
const STAYS =
  /^(?:token|serve\.json|.*\.lock(?:-.*)?|\..*\.tmp|restore\.json|\.restore-.*|(?:before|failed)-restore-.*|tunnel)$/;
/**
 * Earlier hookctls backed these up. With the token of a foreign backup its maker could manage this server; the others
 * say what was validated here.
 */
const OF_THIS_MACHINE = /^(?:token|webhooks\.checked\.json|listing\.json)$/;
const FORMER = /^before-restore-[0-9A-Z-]+$/;
const STAGED = /^\.restore-/;
/** An edit of dynamic webhooks that is under way ends sooner. */
const PATIENCE_MS = 15_000;
/** Who opens the folder waits this long for a restore that another process is at. */
const END_PATIENCE_MS = 10_000;
const RETRY_MS = 50;

/** Whether a name of the data folder is the db's, which is copied as SQLite does it. */
export function isDatabase(name: string): boolean {
  return DATABASE.test(name);
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

/** Whether a swap was begun and not ended: what lies in the data folder is then neither the old state nor the new one. */
export function isSwapping(dataFolder: string): boolean {
  return existsSync(join(dataFolder, JOURNAL));
}

/**
 * Puts a staged state in the place of what is in force; the caller holds the folder and has closed the store. Killed at
 * any moment, it has either not begun or is ended by `finishSwap`. Throws `in_use`, with nothing changed, while another
 * process has the db open or edits the dynamic webhooks.
 */
export async function swapIn(options: SwapOptions): Promise<void> {
  const { dataFolder, staged, former, alone, moved = ignore } = options;
  const edits = await lockFile(join(dataFolder, 'webhooks.json.lock'), PATIENCE_MS);
  if (edits === null) throw inUse(dataFolder);
  try {
    const closed = await closedDatabase(databasePath(dataFolder));
    if (closed === null) throw inUse(dataFolder);
    try {
      await alone?.();
      const out = (await readdir(dataFolder)).filter((name) => !staysInPlace(name));
      const journal: Journal = { staged, former, out, in: await readdir(join(dataFolder, staged)) };
      await writeFileAtomic(join(dataFolder, JOURNAL), JSON.stringify(journal));
      moved('begun');
      await work(dataFolder, journal, moved);
    } finally {
      closed.release();
    }
  } finally {
    edits.release();
  }
}

/** Ends what a killed process had begun, and clears away what it had not; the caller holds the folder. */
export async function finishSwap(dataFolder: string): Promise<void> {
  if (isSwapping(dataFolder)) {
    await work(dataFolder, JSON.parse(readFileSync(join(dataFolder, JOURNAL), 'utf8')) as Journal, ignore);
  }
  for (const name of await readdir(dataFolder)) {
    if (STAGED.test(name)) await rm(join(dataFolder, name), { recursive: true, force: true });
  }
}

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
    if (Date.now() - startedAt > END_PATIENCE_MS) {
      throw failure('restoring', `${dataFolder} is being restored`, { fix: 'Type it again in a moment.' });
    }
    await delay(RETRY_MS);
  }
}

/** Can be begun anew at any step: a name is in its new place already, or still to be moved there. */
async function work(
  dataFolder: string,
  { staged, former, out, in: coming }: Journal,
  moved: (step: string) => void,
): Promise<void> {
  const [from, to] = [join(dataFolder, staged), join(dataFolder, former)];
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const name of out) {
    if (existsSync(join(to, name)) || !existsSync(join(dataFolder, name))) continue;
    await rename(join(dataFolder, name), join(to, name));
    moved(`out ${name}`);
  }
  // A name that came before the old one left, after a power loss, would be taken for the old one.
  await syncDirectory(to);
  await syncDirectory(dataFolder);
  for (const name of coming) {
    if (!existsSync(join(from, name))) continue;
    await rename(join(from, name), join(dataFolder, name));
    moved(`in ${name}`);
  }
  await syncDirectory(dataFolder);
  await rm(join(dataFolder, JOURNAL));
  await syncDirectory(dataFolder);
  moved('ended');
  await rm(from, { recursive: true, force: true });
}

function inUse(dataFolder: string): Error {
  return failure('in_use', `another hookctl has ${dataFolder} open; nothing was changed`, {
    fix: 'End what follows or reads it (a list with --follow, an MCP session), then type the command again.',
  });
}

function ignore(): void {
  // Nobody asked to be told.
}
