import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { amount, type Fault, type Trial } from './fault.ts';
import { mountSmallDisk, type SmallDisk } from './support/disk.ts';
import { isAccepted, requireRefusal } from './support/ledger.ts';
import { lacksMounts } from './support/machine.ts';
import { requireAlive, requireRecovery, sendUntilRefused } from './support/probes.ts';
import { isAlive } from './support/served.ts';
import { onStage, type Stage } from './support/stage.ts';

const DISK_MB = 24;
const SENDERS = 20;

/** What is tried with a small disk that can be filled. */
type Scenario = (stage: Stage, disk: SmallDisk, trial: Trial) => Promise<void>;

export const fullDisk: Fault = {
  name: 'full-disk',
  claim: 'a full disk: 503 with Retry-After and no 2xx that is not kept, accepts 5 s after there is room',
  lacks: lacksMounts,
  async run(trial) {
    for (const [name, scenario] of Object.entries(SCENARIOS)) {
      await trial.part(name, () =>
        onStage(trial, async (stage) => {
          const disk = mountSmallDisk(stage.bed.dataFolder, DISK_MB);
          try {
            await scenario(stage, disk, trial);
            await stage.auditAfresh();
          } finally {
            disk.unmount();
          }
        }),
      );
    }
  },
};

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'between two deliveries': async ({ ledger, serve, audit }, disk, trial) => {
    const served = await serve();
    for (let round = 0; round < amount(trial, { full: 5, quick: 2, short: 1 }); round += 1) {
      await requireRecovery(served, ledger);
      disk.fill();
      await sendUntilRefused(served, ledger, { refusals: 20, most: 3_000 });
      await requireAlive(served);
      disk.free();
      await requireRecovery(served, ledger);
    }
    await audit(served);
    await served.stop();
  },

  'under load': async ({ ledger, serve, audit }, disk) => {
    const served = await serve();
    let ending = false;
    const senders = Array.from({ length: SENDERS }, async () => {
      while (!ending) {
        const answer = await ledger.send(served.url);
        if (answer === null) throw new Error('a request got no answer');
        if (!isAccepted(answer)) requireRefusal(answer);
      }
    });
    const all = Promise.all(senders);
    all.catch(() => undefined);
    disk.fill();
    await sendUntilRefused(served, ledger, { refusals: 20, most: 3_000 });
    await requireAlive(served);
    disk.free();
    await requireRecovery(served, ledger);
    ending = true;
    await all;
    await audit(served);
    await served.stop();
  },

  'at its start': async ({ bed, ledger, serve, start }, disk) => {
    const before = await serve();
    await requireRecovery(before, ledger);
    await before.stop();
    disk.fill();
    const { child, ready } = start();
    const started = await ready.catch((error: Error) => error);
    if (started instanceof Error) requireExplanation(started.message, bed.dataFolder);
    else {
      await sendUntilRefused(started, ledger, { refusals: 5, most: 3_000 });
      await started.stop();
    }
    if (isAlive({ child })) throw new Error('it still runs');
    disk.free();
  },

  'with a task under way, then killed': async ({ ledger, serve }, disk) => {
    const served = await serve();
    await requireRecovery(served, ledger);
    disk.fill();
    await sendUntilRefused(served, ledger, { refusals: 5, most: 3_000 });
    await served.stop('SIGKILL');
    disk.free();
  },

  'where the task files go': async ({ bed, ledger, serve, audit }) => {
    mkdirSync(join(bed.claudeFolder, 'tasks'), { recursive: true });
    const other = mountSmallDisk(join(bed.claudeFolder, 'tasks'), 4);
    try {
      const served = await serve();
      other.fill();
      for (let sent = 0; sent < 50; sent += 1) await requireRecovery(served, ledger);
      other.free();
      // Without a new start: the files follow when there is room.
      await audit(served);
      await served.stop();
    } finally {
      other.unmount();
    }
  },
};

/** What a start that fails has to say. */
function requireExplanation(said: string, folder: string): void {
  const isClear = said.includes(folder) && /full|space|ENOSPC/i.test(said);
  if (!isClear) throw new Error(`it names neither the folder nor the full disk: ${said}`);
}
