import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { amount, type Fault } from './fault.ts';
import { newHook } from './support/hooks.ts';
import { told } from './support/ledger.ts';
import { faketimeLibrary, lacksFaketime } from './support/machine.ts';
import { all, type Served } from './support/served.ts';
import { onStage, type Stage } from './support/stage.ts';
import { eventually } from './support/wait.ts';

/** As libfaketime reads them: an offset in seconds, or a time. */
const JUMPS: readonly (readonly [name: string, to: string])[] = [
  ['an hour back', '-3600'],
  ['an hour on', '+3600'],
  ['a day back', '-86400'],
  ['a day on', '+86400'],
  ['to 1970', '@1970-01-01 00:00:10'],
  ['to 2038', '@2038-01-19 03:14:00'],
  ['into a leap day', '@2028-02-29 23:59:58'],
];
/** A reply that failed once is sent again after two seconds at most; and it may take the time to be noticed. */
const RETRY_MS = 10_000;
/** A jump at full length: each takes some seconds. */
const WORKED_OFF_MS = 5_000;

export const clock: Fault = {
  name: 'clock',
  claim:
    'the clock jumps while it serves: accepted, deduplicated and worked off as before, retries neither early nor stuck',
  lacks: lacksFaketime,
  run: (trial) =>
    onStage(trial, async (stage) => {
      const { bed, conclude, serve } = stage;
      const file = join(bed.root, 'faketime');
      const jump = (to: string) => setClock(file, to);
      jump('+0');
      const served = await serve({
        env: {
          LD_PRELOAD: faketimeLibrary() ?? '',
          FAKETIME_TIMESTAMP_FILE: file,
          FAKETIME_NO_CACHE: '1',
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
        },
      });
      for (let round = 1; round <= amount(trial, { full: 3, quick: 1, short: 1 }); round += 1) {
        for (const [name, to] of JUMPS) {
          await trial.part(`${name}, ${round}`, () => across(stage, served, () => jump(to)));
          await trial.part(`${name} and back, ${round}`, () => across(stage, served, () => jump('+0')));
        }
      }
      await trial.part('what is there', () => conclude(served));
    }),
};

/** A delivery and a reply that waits before the jump; deliveries, an old and new ones, after it. */
async function across(stage: Stage, served: Served, jump: () => void): Promise<void> {
  const { ledger, github } = stage;
  const before = newHook('task');
  await requireStatus(stage, served, before, 202);
  github.fail({ status: 500 });
  const waiting = newHook('reply');
  const posts = github.posts.length;
  await requireStatus(stage, served, waiting, 202);
  await eventually('the reply to fail once', () => github.requests.at(-1)?.method === 'POST');
  jump();
  await requireStatus(stage, served, before, 200);
  const tasks = () => openDeliveries(served);
  await requireStatus(stage, served, newHook('files'), 202);
  await requireStatus(stage, served, newHook('task'), 202);
  await eventually('deliveries to be worked off', async () => (await tasks()) === 0, WORKED_OFF_MS);
  await eventually('the reply to be sent again', () => github.posts.length > posts, RETRY_MS);
  if (github.posts.length > posts + 1) throw new Error(`${github.posts.length - posts} replies were posted`);
  if (ledger.unanswered().length > 0) throw new Error('a request got no answer');
}

async function requireStatus(
  { ledger }: Stage,
  { url }: Served,
  hook: ReturnType<typeof newHook>,
  status: number,
) {
  const answer = await ledger.send(url, hook);
  if (answer?.status !== status) throw new Error(`${told(answer)} in place of ${status}`);
}

async function openDeliveries(served: Served): Promise<number> {
  return (await all(served, 'deliveries?status=pending')).length;
}

/** The library reads the file at each call. */
function setClock(file: string, to: string): void {
  writeFileSync(file, `${to}\n`);
}
