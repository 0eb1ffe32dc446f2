import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dbText, placeIn, record } from '../config/dynamic/support.ts';
import { type Bed, hasProgram, makeBed } from './dynamic-support.ts';

/*
 * `kill -9` at each system call by which `webhook add` changes its data folder: afterwards the db opens and holds the
 * old or the new state, and the next `add` works. Needs strace.
 *   npm run test:kill-add
 */

const OLD = dbText([record(1)]);
const ADD = ['webhook', 'add', 'github', '--name', 'added'];
/** One thread for file operations, so that the calls come in the same order each time. */
const STEADY = { UV_THREADPOOL_SIZE: '1' };

/** Calls after which the disk may be another; between two of them a kill finds the same state. */
const CHANGING =
  /^(open|openat|write|pwrite64|pwritev|ftruncate|f?chmod|f?sync|fdatasync|rename|renameat2?|unlink|unlinkat|mkdir|mkdirat|close)$/;

/** The n-th call of a name by one thread. */
interface Point {
  readonly call: string;
  readonly nth: number;
}

type Outcome = 'old' | 'new' | 'not reached';

function strace(bed: Bed, options: readonly string[]) {
  const args = ['-f', '-q', ...options, process.execPath, ...bed.command(...ADD)];
  return spawnSync('strace', args, { env: { ...bed.env, ...STEADY }, encoding: 'utf8', maxBuffer: 2 ** 30 });
}

/** Runs once under strace and lists the calls that name the data folder or a file in it. */
function findPoints(): readonly Point[] {
  const bed = makeBed(OLD);
  try {
    const log = join(bed.dataFolder, '..', 'trace');
    const { status, stderr } = strace(bed, ['-y', '-e', 'trace=%file,%desc', '-o', log]);
    if (status !== 0) throw new Error(`the add ended with ${status}: ${stderr}`);
    const counts = new Map<string, number>();
    const points = new Map<string, Point>();
    for (const line of readFileSync(log, 'utf8').split('\n')) {
      const [, thread, call] = /^(\d+)\s+(\w+)\(/.exec(line) ?? [];
      if (thread === undefined || call === undefined) continue;
      const nth = (counts.get(`${thread} ${call}`) ?? 0) + 1;
      counts.set(`${thread} ${call}`, nth);
      if (line.includes(bed.dataFolder) && CHANGING.test(call)) points.set(`${call} ${nth}`, { call, nth });
    }
    return [...points.values()];
  } finally {
    bed.remove();
  }
}

async function killAt({ call, nth }: Point): Promise<Outcome> {
  const bed = makeBed(OLD);
  try {
    const inject = `inject=${call}:signal=KILL:when=${nth}`;
    const { signal, status } = strace(bed, ['-e', `trace=${call}`, '-e', inject, '-o', '/dev/null']);
    const { names, raw } = await stateOf(bed);
    const wasKilled = signal === 'SIGKILL' || status === 137;
    if (names.join() !== 'Webhook 1' && names.join() !== 'Webhook 1,added') {
      throw new Error(`killed at ${call} ${nth} the db holds ${names.join() || raw}`);
    }
    await bed.run('webhook', 'add', 'github', '--name', 'afterwards');
    const litter = readdirSync(bed.dataFolder).filter((name) => /^\.webhooks\.json\..*\.tmp$/.test(name));
    if (litter.length > 0) throw new Error(`killed at ${call} ${nth} the next add leaves ${litter.join()}`);
    return wasKilled ? (names.length === 1 ? 'old' : 'new') : 'not reached';
  } finally {
    bed.remove();
  }
}

async function stateOf(bed: Bed) {
  const raw = readFileSync(bed.db, 'utf8');
  const { webhooks } = await placeIn(join(bed.dataFolder, '..'), null, bed.dataFolder).dynamic.read();
  return { names: webhooks.map(({ name }) => name), raw };
}

if (hasProgram('strace')) {
  const points = findPoints();
  console.log(`webhook add: ${points.length} system calls on the data folder`);
  const outcomes = new Map<Outcome, number>();
  for (const point of points) {
    const outcome = await killAt(point);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  const counted = [...outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
  console.log(`killed at ${points.length} system calls: the db opened every time (${counted})`);
} else {
  console.log('strace is missing, nothing was tried: install it (apt-get install strace)');
}
