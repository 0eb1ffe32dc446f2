import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { amount, type Fault } from './fault.ts';
import { prepare } from './support/prepared.ts';
import type { Stage } from './support/stage.ts';

const PAGE = 4_096;
const PLACES = 20;

/** How a file is damaged. `size`: its bytes. */
type Damage = (path: string, size: number) => void;

/** A page of zeros or of noise at twenty places, and the ways in which a whole file goes bad. */
function damages(): ReadonlyMap<string, Damage> {
  const places = Array.from({ length: PLACES }, (_, index) => index);
  return new Map<string, Damage>([
    ...places.map((place): [string, Damage] => [
      `${place % 2 === 0 ? 'zeros' : 'noise'} at place ${place + 1} of ${PLACES}`,
      (path, size) => overwrite(path, pageAt(size, place), place % 2 === 0 ? 0 : 0xa5),
    ]),
    ['cut to half', (path, size) => truncateSync(path, size >> 1)],
    ['cut within a page', (path, size) => truncateSync(path, size - 1_000)],
    ['empty', (path) => truncateSync(path, 0)],
    ['text in its place', (path) => writeFileSync(path, 'not a database\n'.repeat(1_000))],
    [
      'a folder in its place',
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
  ]);
}

export const corrupt: Fault = {
  name: 'corrupt',
  claim: `a db damaged at ${PLACES} places and in 5 ways: nothing lost in silence, nothing overwritten, the message helps`,
  async run(trial) {
    const prepared = await prepare(trial, amount(trial, { full: 200, quick: 200, short: 30 }));
    try {
      const all = [...damages()];
      const chosen = amount(trial, { full: all, quick: all, short: [all[0], all[7], all[20]] });
      const told: Told = { refused: 0, served: 0 };
      for (const [name, damage] of chosen.filter((each) => each !== undefined)) {
        await trial.part(name, () => prepared.onCopy((stage) => damaged(stage, damage, told)));
      }
      trial.note(
        `${told.refused} refused at the start, ${told.served} served with all that was acknowledged`,
      );
    } finally {
      prepared.remove();
    }
  },
};

interface Told {
  refused: number;
  served: number;
}

/** It refuses to start and helps; or it serves, and then with everything that was acknowledged. */
async function damaged({ bed, audit, start }: Stage, damage: Damage, told: Told): Promise<void> {
  const path = join(bed.dataFolder, 'hookctl.db');
  damage(path, readFileSync(path).length);
  const before = hashOf(path);
  const started = await start().ready.catch((error: Error) => error);
  if (started instanceof Error) {
    told.refused += 1;
    requireHelp(started.message, path);
    if (hashOf(path) !== before) throw new Error('the damaged file was changed');
    return;
  }
  try {
    await audit(started, { patienceMs: 10_000 });
    told.served += 1;
  } catch (error) {
    // What can't be shown must be said; what is missing without a word is lost.
    const { problems } = await bed.json<{ readonly problems: readonly string[] }>('status');
    requireHelp(`${(error as Error).message} ${problems.join()} ${started.stderr()}`, path);
  } finally {
    await started.stop('SIGKILL');
  }
}

/** Names the file, that it is damaged, and what to do. */
function requireHelp(said: string, path: string): void {
  const names = said.includes(path);
  const helps = /restore|HOOKCTL_HOME/.test(said);
  if (!names || !helps)
    throw new Error(
      `it does not ${names ? '' : 'name the file'}${names || helps ? '' : ' nor '}${helps ? '' : 'say how to restore it'}: ${said}`,
    );
}

function overwrite(path: string, at: number, byte: number): void {
  const bytes = readFileSync(path);
  bytes.fill(byte, at, at + PAGE);
  writeFileSync(path, bytes);
}

function pageAt(size: number, place: number): number {
  const pages = Math.floor(size / PAGE);
  return Math.floor((place / PLACES) * pages) * PAGE;
}

function hashOf(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch {
    return readdirSync(path).join();
  }
}
