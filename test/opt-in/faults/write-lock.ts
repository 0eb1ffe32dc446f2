import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { amount, type Fault } from './fault.ts';
import { isAccepted, requireRefusal } from './support/ledger.ts';
import { requireRecovery, startPings } from './support/probes.ts';
import { onStage } from './support/stage.ts';

const STALL_MS = 200;
const SENDERS = 4;

/** Holds the write lock of a db, says so, and lets go after a time in ms. */
const HOLDER = `
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const db = new DatabaseSync(process.argv[1], { timeout: 5000 });
  db.exec('begin immediate');
  console.log('held');
  setTimeout(() => db.exec('rollback'), Number(process.argv[2]));
`;

export const writeLock: Fault = {
  name: 'write-lock',
  claim: `another process holds the db's write lock for 30 s: event loop stalls ≤ ${STALL_MS} ms, all answered, 0 lost`,
  run: (trial) =>
    onStage(trial, async ({ bed, ledger, serve, conclude }) => {
      const served = await serve();
      await requireRecovery(served, ledger);
      const heldMs = amount(trial, { full: 30_000, quick: 10_000, short: 2_000 });
      const args = ['--no-warnings', '-e', HOLDER, join(bed.dataFolder, 'hookctl.db'), String(heldMs)];
      const holder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(holder.stdout, 'data');
      const pings = startPings(served);
      let refused = 0;
      let free = false;
      const senders = Array.from({ length: SENDERS }, async () => {
        while (!free) {
          const answer = await ledger.send(served.url);
          if (answer === null) throw new Error('a request got no answer within 10 s');
          if (isAccepted(answer)) continue;
          requireRefusal(answer);
          refused += 1;
        }
      });
      const answered = Promise.all(senders);
      answered.catch(() => undefined);
      await once(holder, 'exit');
      free = true;
      await trial.part('every request is answered 2xx or 503', async () => void (await answered));
      const longest = await pings.stop();
      trial.note(`longest stall ${Math.round(longest)} ms, ${refused} refused meanwhile`);
      await trial.part('the event loop', () => {
        if (longest > STALL_MS) throw new Error(`/healthz took ${Math.round(longest)} ms`);
      });
      await trial.part('recovery', () => requireRecovery(served, ledger));
      await trial.part('what is there', () => conclude(served));
    }),
};
