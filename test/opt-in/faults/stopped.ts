import { setTimeout as delay } from 'node:timers/promises';
import { amount, type Fault } from './fault.ts';
import { isAccepted, told } from './support/ledger.ts';
import { requireRecovery } from './support/probes.ts';
import { kill } from './support/served.ts';
import { onStage } from './support/stage.ts';

const IN_FLIGHT = 20;

export const stopped: Fault = {
  name: 'stopped',
  claim:
    'SIGSTOP for a minute under load, then SIGCONT (a laptop asleep): goes on in 5 s, nothing lost or doubled',
  run: (trial) =>
    onStage(trial, async ({ ledger, serve, conclude }) => {
      const served = await serve();
      let ending = false;
      const unanswered = { count: 0 };
      const senders = Array.from({ length: IN_FLIGHT }, async () => {
        while (!ending) if (!isAccepted(await ledger.send(served.url))) unanswered.count += 1;
      });
      await delay(300);
      kill(served.pid, 'SIGSTOP');
      await delay(amount(trial, { full: 60_000, quick: 12_000, short: 1_000 }));
      kill(served.pid, 'SIGCONT');
      await trial.part('it goes on', () => requireRecovery(served, ledger));
      ending = true;
      await Promise.all(senders);
      trial.note(`${unanswered.count} requests given up by their senders`);
      await trial.part('a redelivery of what was given up', async () => {
        for (const hook of ledger.unanswered()) {
          const answer = await ledger.send(served.url, hook);
          if (!isAccepted(answer)) throw new Error(`it was ${told(answer)}`);
        }
      });
      await trial.part('what is there', () => conclude(served));
    }),
};
