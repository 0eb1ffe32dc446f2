import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { amount, type Fault, type Trial } from './fault.ts';
import { connections } from './support/hooks.ts';
import { newLedger } from './support/ledger.ts';
import { redeliver } from './support/probes.ts';
import type { Served } from './support/served.ts';
import { onStage, type Stage } from './support/stage.ts';
import { random } from './support/wait.ts';

const ACKNOWLEDGED_PER_KILL = 100;
/** Kills in one data folder; then its book is held against the sender's, and a new one begins. */
const KILLS_PER_FOLDER = 200;
const SENDERS = 16;
/** One kill in so many hits a server that is still starting. */
const EARLY = 10;
/** By then a server is well on its way. */
const START_MS = 700;
/** Few with files: Claude's list is locked for ten seconds after each kill that hit it. */
const FILES_EVERY = 50;
const REPLY_EVERY = 25;

export const killed: Fault = {
  name: 'killed',
  claim: 'kill -9 at random under load: 0 lost, 0 doubled, the db opens each time',
  async run(trial) {
    const kills = amount(trial, { full: 1_000, quick: 20, short: 4 });
    let acknowledged = 0;
    for (let done = 0; done < kills; done += KILLS_PER_FOLDER) {
      acknowledged += await inOneFolder(trial, done, Math.min(KILLS_PER_FOLDER, kills - done));
    }
    trial.note(`${acknowledged.toLocaleString('en')} acknowledged`);
    const wanted = kills * ACKNOWLEDGED_PER_KILL;
    if (acknowledged < wanted) await trial.part('load', () => tooFew(acknowledged, wanted));
  },
};

function tooFew(acknowledged: number, wanted: number): never {
  throw new Error(`${acknowledged} were acknowledged, ${wanted} are wanted`);
}

async function inOneFolder(trial: Trial, done: number, kills: number): Promise<number> {
  const ledger = newLedger({
    effect: (index) => (index % FILES_EVERY === 7 ? 'files' : index % REPLY_EVERY === 13 ? 'reply' : 'task'),
  });
  const run = async (stage: Stage) => {
    for (let kill = 1; kill <= kills; kill += 1) {
      const wanted = kill * ACKNOWLEDGED_PER_KILL - ledger.acknowledged();
      await trial.part(`kill ${done + kill}`, () =>
        kill % EARLY === 0 ? killWhileStarting(stage) : killUnderLoad(stage, random(2 * Math.max(0, wanted))),
      );
    }
    await trial.part(`what is there after kill ${done + kills}`, async () => {
      const first = async (served: Served) => {
        while (ledger.acknowledged() < kills * ACKNOWLEDGED_PER_KILL) await ledger.send(served.url);
        await redeliver(served, ledger);
      };
      await stage.auditAfresh({ first, patienceMs: 120_000 });
      await commandsAgree(stage);
    });
  };
  await onStage(trial, run, { ledger });
  return ledger.acknowledged();
}

/** Deliveries come, and those again that nobody answered, until so many are acknowledged. */
async function killUnderLoad(stage: Stage, wanted: number): Promise<void> {
  const { ledger } = stage;
  const served = await stage.serve();
  const agent = connections(SENDERS);
  const again = [...ledger.unanswered()];
  const from = ledger.acknowledged();
  let ending = false;
  const killIt = async () => {
    ending = true;
    await delay(random(5));
    await served.stop('SIGKILL');
  };
  const senders = Array.from({ length: SENDERS }, async () => {
    while (!ending) {
      await ledger.send(served.url, again.shift(), agent);
      if (!ending && ledger.acknowledged() - from >= wanted) await killIt();
    }
  });
  await Promise.all(senders);
  agent.destroy();
}

async function killWhileStarting({ start }: Stage): Promise<void> {
  const { child, ready } = start();
  await delay(random(START_MS));
  child.kill('SIGKILL');
  await once(child, 'exit');
  await ready.catch(() => undefined);
}

/** The commands, which open the db themselves, see what the server sees. */
async function commandsAgree({ bed, ledger }: Stage): Promise<void> {
  const rows = await bed.json<{ id: string }[]>('delivery', 'list', '--limit', '1000000');
  const ids = new Set(rows.map(({ id }) => id));
  const unseen = [...ledger.entries.values()].flatMap((entry) => entry.ids.filter((id) => !ids.has(id)));
  if (unseen.length > 0) throw new Error(`\`delivery list\` does not show ${unseen.slice(0, 3).join(', ')}`);
}
