import { cpSync } from 'node:fs';
import { relative } from 'node:path';
import { type Random, randomOf } from '../../../support/random.ts';
import { amount, type Fault, type Trial } from '../fault.ts';
import { lacksStrace } from '../support/machine.ts';
import { redeliver } from '../support/probes.ts';
import { onStage, type Stage } from '../support/stage.ts';
import { newDisk } from './disk.ts';
import { layOut } from './files.ts';
import { foldersOf, type Recorded, record } from './record.ts';
import { survivalOf } from './survival.ts';

/** A project's path is in its files: the states of a run are laid out where it was recorded, one after the other. */
const RUNS = 2;
/** Problems that tell of a loss; a post that waits is none, nor is a hole where nothing had been acknowledged. */
const LOSS = /lost|damage|restore/i;

export const powerLoss: Fault = {
  name: 'power-loss',
  claim:
    'all that was not synced is lost, whole or in part, at points of a run: 0 acknowledged lost, 0 doubled, the db opens',
  lacks: lacksStrace,
  async run(trial) {
    const seed = Number(process.env.HOOKCTL_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
    trial.note(`seed ${seed}`);
    const points = amount(trial, { full: 200, quick: 50, short: 15 });
    const runs: Recorded[] = [];
    try {
      // One after the other: while a long log is read, a server that is recorded would get no answers.
      while (runs.length < RUNS) runs.push(await record(trial));
      const tries = runs.map((run, index) => tryPoints(trial, run, points, randomOf(seed + index)));
      await Promise.all(tries);
    } finally {
      for (const run of runs) run.remove();
    }
    trial.note(`${RUNS * points} points`);
  },
};

async function tryPoints(trial: Trial, run: Recorded, wanted: number, random: Random): Promise<void> {
  const { root, rest } = run;
  const disk = newDisk(foldersOf(root));
  const operations = run.operations.values();
  let operation = operations.next();
  for (const [index, point] of pointsOf(run, wanted, random).entries()) {
    let last = 'nothing';
    for (; operation.done !== true && operation.value.ended <= point; operation = operations.next()) {
      disk.apply(operation.value);
      last = `${operation.value.call} of ${relative(root, operation.value.path)}`;
    }
    const { name, survival } = survivalOf(index, random);
    const files = disk.after(survival);
    await trial.part(`${name} after ${last} (line ${point})`, () => {
      cpSync(rest, root, { recursive: true });
      layOut(files);
      return onStage(trial, requireAll, { root, ledger: run.ledgerAt(point), posts: run.postsAt(point) });
    });
  }
}

/** Half of them right after something left, where a promise is freshest; spread over the run. */
function pointsOf({ operations, left }: Recorded, wanted: number, random: Random): readonly number[] {
  const leavings = left.map(({ began }) => began);
  const changes = operations.map(({ ended }) => ended);
  return Array.from({ length: wanted }, (_, index) => {
    const from = index % 2 === 0 ? leavings : changes;
    const place = (index + random.below(1_000) / 1_000) / wanted;
    return from[Math.floor(place * from.length)] ?? 0;
  }).toSorted((a, b) => a - b);
}

function requireAll(stage: Stage): Promise<void> {
  return stage.auditAfresh({
    async first(served) {
      const losses = served.problems.filter((text) => LOSS.test(text));
      if (losses.length > 0) throw new Error(`it reports ${losses.join('; ')}`);
      await redeliver(served, stage.ledger);
    },
  });
}
