import { connect, type Socket } from 'node:net';
import { amount, type Fault } from './fault.ts';
import { isAccepted, requireRefusal } from './support/ledger.ts';
import { lacksUlimit } from './support/machine.ts';
import { requireRecovery } from './support/probes.ts';
import { onStage } from './support/stage.ts';
import { eventually } from './support/wait.ts';

/** A server without connections has some forty. */
const DESCRIPTORS = 72;
const IDLE = 100;
const POSTS = 10;

export const descriptors: Fault = {
  name: 'descriptors',
  claim: 'no file descriptor left (EMFILE): it lives, nothing accepted is lost, well again in 5 s',
  lacks: lacksUlimit,
  run: (trial) =>
    onStage(trial, async ({ ledger, serve, conclude }) => {
      const served = await serve({
        through: ['sh', '-c', `ulimit -n ${DESCRIPTORS}; exec "$@"`, 'sh'],
      });
      let felt = 0;
      const rounds = amount(trial, { full: 20, quick: 4, short: 1 });
      for (let round = 1; round <= rounds; round += 1) {
        await trial.part(`round ${round}`, async () => {
          await requireRecovery(served, ledger);
          const idle = Array.from({ length: IDLE }, () => holdOpen(served.port));
          try {
            await eventually('the connections to be open or cut', () =>
              idle.every(({ connecting }) => !connecting),
            );
            const answers = await Promise.all(Array.from({ length: POSTS }, () => ledger.send(served.url)));
            for (const answer of answers) if (answer !== null && !isAccepted(answer)) requireRefusal(answer);
            felt += answers.filter((answer) => !isAccepted(answer)).length;
          } finally {
            for (const socket of idle) socket.destroy();
          }
          await requireRecovery(served, ledger);
        });
      }
      trial.note(`${felt} of ${rounds * POSTS} requests felt it`);
      await trial.part('what is there', async () => {
        if (felt === 0) throw new Error('no request felt it');
        await conclude(served);
      });
    }),
};

function holdOpen(port: number): Socket {
  // What the server cuts is cut: that is one of its ways out.
  return connect(port, '127.0.0.1').on('error', () => undefined);
}
