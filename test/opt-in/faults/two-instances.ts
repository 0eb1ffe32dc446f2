import { amount, type Fault } from './fault.ts';
import { requireRecovery } from './support/probes.ts';
import type { Served } from './support/served.ts';
import { onStage, type Stage } from './support/stage.ts';

/** From its start on the command line, Node included; on a busy machine as long as two starts take. */
const LIMIT_MS = 2_000;

export const twoInstances: Fault = {
  name: 'two-instances',
  claim:
    'a second `serve` on the folder: ends in 2 s naming the first; after kill -9 the folder is free at once',
  run: (trial) =>
    onStage(trial, async (stage) => {
      const { ledger, serve, auditAfresh } = stage;
      const rounds = amount(trial, { full: 25, quick: 3, short: 1 });
      for (let round = 1; round <= rounds; round += 1) {
        const first = await serve();
        await trial.part(`a second one, ${round}`, () => requireRefused(stage, first));
        await trial.part(`the first goes on, ${round}`, () => requireRecovery(first, ledger));
        await first.stop('SIGKILL');
        await trial.part(`after kill -9, ${round}`, async () => {
          const next = await serve();
          await requireRecovery(next, ledger);
          await next.stop(round % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
        });
        await trial.part(`both at once, ${round}`, () => requireOne(stage));
      }
      await trial.part('what is there', () => auditAfresh());
    }),
};

async function requireRefused({ start }: Stage, first: Served): Promise<void> {
  const startedAt = performance.now();
  const { child, ready } = start();
  const refused = await ready.then(
    () => null,
    (error: Error) => error.message,
  );
  if (refused === null) {
    child.kill('SIGKILL');
    throw new Error('it serves the same folder');
  }
  const ms = Math.round(performance.now() - startedAt);
  if (!/^serve ended with 1: /.test(refused)) throw new Error(`it says: ${refused}`);
  if (!refused.includes(String(first.pid))) throw new Error(`it does not name ${first.pid}: ${refused}`);
  if (ms > Math.max(LIMIT_MS, 2 * first.startMs)) throw new Error(`it took ${ms} ms`);
}

/** Of two that start together, one serves. */
async function requireOne({ ledger, start }: Stage): Promise<void> {
  const both = [start(), start()];
  const ended = await Promise.allSettled(both.map(({ ready }) => ready));
  const serving = ended.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
  try {
    if (serving.length !== 1) throw new Error(`${serving.length} of two serve`);
    for (const served of serving) await requireRecovery(served, ledger);
  } finally {
    for (const served of serving) await served.stop();
  }
}
