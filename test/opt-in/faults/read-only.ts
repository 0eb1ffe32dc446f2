import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { amount, type Fault } from './fault.ts';
import { mountReadOnly } from './support/disk.ts';
import { isAccepted, requireRefusal } from './support/ledger.ts';
import { lacksMounts, lacksOtherUser } from './support/machine.ts';
import { requireAlive, requireRecovery } from './support/probes.ts';
import { onStage, type Stage } from './support/stage.ts';

const POSTS = 20;

export const readOnly: Fault = {
  name: 'read-only',
  claim:
    'a read-only folder: refused with its name, nothing in it changed; while it serves: 2xx that are kept, or 503',
  lacks: lacksOtherUser,
  async run(trial) {
    const byMode = Object.entries(BY_MODE);
    for (const [name, scenario] of amount(trial, {
      full: byMode,
      quick: byMode,
      short: byMode.slice(0, 2),
    })) {
      await trial.part(name, () => onStage(trial, scenario, { unprivileged: true }));
    }
    if (trial.scale === 'short') return;
    const lacking = lacksMounts();
    for (const [name, scenario] of Object.entries(BY_MOUNT)) {
      if (lacking !== null) trial.lacking(name, lacking);
      else await trial.part(name, () => onStage(trial, scenario));
    }
  },
};

type Scenario = (stage: Stage) => Promise<void>;

const BY_MODE: Readonly<Record<string, Scenario>> = {
  'a folder without the right to write, at the start': async (stage) => {
    const { bed, ledger, serve, auditAfresh } = stage;
    const first = await serve();
    await requireRecovery(first, ledger);
    await first.stop();
    await withoutWriting(bed.dataFolder, () => requireRefused(stage));
    await auditAfresh();
  },

  'the right to write is taken while it serves': async ({ bed, ledger, serve, conclude }) => {
    const served = await serve();
    await requireRecovery(served, ledger);
    await withoutWriting(bed.dataFolder, async () => {
      for (let sent = 0; sent < POSTS; sent += 1) {
        const answer = await ledger.send(served.url);
        if (answer === null) throw new Error('a request got no answer');
        if (!isAccepted(answer)) requireRefusal(answer);
      }
      await requireAlive(served);
    });
    await requireRecovery(served, ledger);
    await conclude(served);
  },

  'Claude’s folder without the right to write': async ({ bed, ledger, serve, conclude }) => {
    const first = await serve();
    await withoutWriting(join(bed.claudeFolder, 'tasks'), async () => {
      for (let sent = 0; sent < POSTS; sent += 1) await requireRecovery(first, ledger);
      await requireAlive(first);
    });
    await conclude(first);
  },
};

const BY_MOUNT: Readonly<Record<string, Scenario>> = {
  'a new folder on a read-only disk': async (stage) => {
    await onReadOnlyDisk(stage.bed.dataFolder, () => requireRefused(stage));
  },

  'a folder with deliveries on a read-only disk': async (stage) => {
    const { bed, ledger, serve, auditAfresh } = stage;
    const first = await serve();
    await requireRecovery(first, ledger);
    await first.stop('SIGKILL');
    await onReadOnlyDisk(bed.dataFolder, () => requireRefused(stage));
    await auditAfresh();
  },
};

async function withoutWriting(folder: string, act: () => Promise<void>): Promise<void> {
  chmodSync(folder, 0o500);
  try {
    await act();
  } finally {
    chmodSync(folder, 0o700);
  }
}

async function onReadOnlyDisk(folder: string, act: () => Promise<void>): Promise<void> {
  const undo = mountReadOnly(folder);
  try {
    await act();
  } finally {
    undo();
  }
}

/** A start that fails, leaves the folder as it was, and says which one it is and what is wrong with it. */
async function requireRefused({ bed, start }: Stage): Promise<void> {
  await requireUnchanged(bed.dataFolder, async () => {
    const said = await start().ready.then(
      () => null,
      (error: Error) => error.message,
    );
    if (said === null) throw new Error('it serves a folder in which it can store nothing');
    const isClear = said.includes(bed.dataFolder) && /read-only|permission|write|EROFS|EACCES/i.test(said);
    if (!isClear) throw new Error(`it names neither the folder nor the reason: ${said}`);
  });
}

async function requireUnchanged(folder: string, act: () => Promise<void>): Promise<void> {
  const names = () => readdirSync(folder, { recursive: true }).toSorted().join();
  const before = names();
  await act();
  if (names() !== before) throw new Error(`the folder held ${before}, and now ${names()}`);
}
