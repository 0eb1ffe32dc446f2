import { setTimeout as delay } from 'node:timers/promises';
import { amount, type Fault } from './fault.ts';
import { onStage } from './support/stage.ts';
import { random, within } from './support/wait.ts';

const IN_FLIGHT = 20;
/** A service manager kills after ten. */
const LIMIT_MS = 10_000;

export const terminated: Fault = {
  name: 'terminated',
  claim: 'SIGTERM at random with 20 requests in flight: ends with status 0 within 10 s, nothing lost',
  run: (trial) =>
    onStage(trial, async ({ ledger, serve, auditAfresh }) => {
      const rounds = amount(trial, { full: 100, quick: 5, short: 1 });
      for (let round = 1; round <= rounds; round += 1) {
        await trial.part(`SIGTERM ${round}`, async () => {
          const served = await serve();
          let ending = false;
          const senders = Array.from({ length: IN_FLIGHT }, async () => {
            while (!ending) await ledger.send(served.url);
          });
          await delay(random(300));
          const stopped = served.stop('SIGTERM');
          ending = true;
          const { code, signal } = await within(LIMIT_MS, 'the end after SIGTERM', stopped);
          await Promise.all(senders);
          if (code !== 0) throw new Error(`it ended with ${code ?? signal}: ${served.stderr()}`);
        });
      }
      await trial.part('what is there in the end', () => auditAfresh());
      trial.note(`${ledger.acknowledged()} acknowledged`);
    }),
};
