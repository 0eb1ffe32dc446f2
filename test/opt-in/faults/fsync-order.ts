import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { amount, type Fault, type Trial } from './fault.ts';
import { connections, newHook } from './support/hooks.ts';
import { newLedger } from './support/ledger.ts';
import { lacksStrace } from './support/machine.ts';
import { all, type Served, send } from './support/served.ts';
import { onStage, type Stage } from './support/stage.ts';
import {
  ACKNOWLEDGED,
  attach,
  type Call,
  callsOf,
  type Leaving,
  leaving,
  POSTED,
  recording,
} from './support/strace.ts';
import { eventually, inLanes } from './support/wait.ts';

const SENDERS = 8;
/** By these written bytes are recognised: deliveries, replies, webhooks (also in the name of a file), a person's words. */
const ID = /(?:dlv|out|wh)-[0-9a-hjkmnp-tv-z]{16}|nonce-\d{6}/g;

export const fsyncOrder: Fault = {
  name: 'fsync-order',
  claim:
    'a 2xx, the answer to a person’s change and a reply leave only after an fsync of every file that got their bytes',
  lacks: lacksStrace,
  run: (trial) =>
    onStage(
      trial,
      async (stage) => {
        const { bed, ledger, github, serve, audit } = stage;
        const served = await serve();
        const log = join(bed.root, 'trace');
        const tracer = await attach({ pid: served.pid }, recording(log));
        await underLoad(trial, stage, served);
        await byReply(trial, stage, served);
        await audit(served);
        // Failed tasks are posted, too; the audit would count those comments as posts of no delivery.
        const nonces = await byPerson(trial, stage, served);
        const replies = github.posts.length;
        await tracer.detach();
        const calls = [...callsOf(readFileSync(log, 'latin1'))];
        const order = orderOf(calls, bed.dataFolder);
        const acks = calls.flatMap((call) => leaving(call, ACKNOWLEDGED));
        const answers = calls.flatMap((call) =>
          leaving(call, /"HTTP\/1\.1 2.*(nonce-\d{6})/).flatMap((each) => [
            each,
            ...leaving(call, /"HTTP\/1\.1 2.*(wh-[0-9a-z]{16})/),
          ]),
        );
        const posts = calls.flatMap((call) => leaving(call, POSTED));
        for (const each of acks) await trial.part(`the answer to ${each.id}`, () => order.judge(each));
        for (const each of answers) await trial.part(`the answer about ${each.id}`, () => order.judge(each));
        for (const each of posts) await trial.part(`the reply ${each.id}`, () => order.judge(each));
        await trial.part('every answer was seen', () => {
          requireCount('acknowledged', ledger.acknowledged(), acks);
          requireCount(
            'changed by a person',
            nonces,
            answers.filter(({ id }) => id.startsWith('nonce')),
          );
          requireCount('posted', replies, posts);
        });
        trial.note(
          `${order.syncs} syncs for ${acks.length} deliveries, ${nonces} changes, ${posts.length} replies`,
        );
        await served.stop();
      },
      // The work behind the answers would only make the trace longer.
      { ledger: newLedger({ effect: () => 'task' }) },
    ),
};

async function underLoad(trial: Trial, { ledger }: Stage, served: Served): Promise<void> {
  const agent = connections(SENDERS);
  const wanted = amount(trial, { full: 1_000, quick: 100, short: 20 });
  await inLanes(wanted, SENDERS, async () => void (await ledger.send(served.url, undefined, agent)));
  agent.destroy();
}

/** Changes by a person: a task that fails (the db), a webhook that is added (the JSON db). Returns how many. */
async function byPerson(trial: Trial, { github }: Stage, served: Served): Promise<number> {
  const wanted = amount(trial, { full: 50, quick: 10, short: 4 });
  const posts = github.posts.length;
  let made = 0;
  const nonce = () => `nonce-${String(++made).padStart(6, '0')}`;
  const tasks = (await all<{ id: string }>(served, 'tasks?status=queued')).slice(0, wanted);
  for (const { id } of tasks) await send(served, 'POST', `tasks/${id}/fail`, { error: nonce() });
  for (let added = 0; added < wanted; added += 1) {
    await send(served, 'POST', 'webhooks', { name: nonce(), provider: 'github' });
  }
  await eventually('the ends of the tasks to be posted', () => github.posts.length >= posts + wanted);
  return made;
}

/** Comments on issues. */
async function byReply(trial: Trial, { ledger, github }: Stage, served: Served): Promise<void> {
  const wanted = amount(trial, { full: 50, quick: 10, short: 4 });
  for (let sent = 0; sent < wanted; sent += 1) await ledger.send(served.url, newHook('reply'));
  await eventually('the replies to be posted', () => github.posts.length >= wanted);
}

function requireCount(what: string, wanted: number, seen: readonly Leaving[]): void {
  const ids = new Set(seen.map(({ id }) => id));
  if (ids.size !== wanted) throw new Error(`${wanted} were ${what}, ${ids.size} are in the trace`);
}

interface FileCall {
  readonly path: string;
  readonly began: number;
  readonly ended: number;
}

/** A name that a call made: of a file that was not there before, or the new one of a temporary file. */
interface NewName {
  /** The path under which the file was written. */
  readonly written: string;
  readonly path: string;
  readonly ended: number;
}

/** Which files of the folder got an id, and when each file, and the folder of each new name, was synced. */
function orderOf(calls: readonly Call[], folder: string) {
  const syncs: FileCall[] = [];
  const names: NewName[] = [];
  const writes = new Map<string, FileCall[]>();
  for (const { name, text, began, ended } of calls) {
    const made = newName(text);
    if (made?.path.startsWith(folder) === true) names.push({ ...made, ended });
    const path = /^\w+\(\d+<([^>]+)>/.exec(text)?.[1] ?? '';
    if (!path.startsWith(folder)) continue;
    const call = { path, began, ended };
    if (/sync$/.test(name)) {
      if (/= 0$/.test(text)) syncs.push(call);
      continue;
    }
    for (const id of new Set(text.match(ID))) writes.set(id, [...(writes.get(id) ?? []), call]);
  }
  const requireSync = (path: string, after: number, before: number): void => {
    const synced = syncs.some((sync) => sync.path === path && sync.began > after && sync.ended < before);
    if (!synced) throw new Error(`${path} was not synced between the write and what left`);
  };
  return {
    syncs: syncs.length,
    /**
     * Throws unless every file that got the id was synced between that and what left, and the folder of each that got a
     * new name after that name. Its first write counts: a page of the db is written again with later rows.
     */
    judge({ id, began }: Leaving): void {
      const first = new Map<string, FileCall>();
      for (const write of (writes.get(id) ?? []).filter(({ ended }) => ended < began).toReversed()) {
        first.set(write.path, write);
      }
      if (first.size === 0) throw new Error('it left before anything of it was written');
      for (const { path, ended } of first.values()) {
        // A checkpoint copies what the WAL keeps; SQLite empties the WAL only once the copy is synced.
        if ((first.get(`${path}-wal`)?.ended ?? Number.POSITIVE_INFINITY) < ended) continue;
        requireSync(path, ended, began);
        for (const made of names) {
          if (made.written === path && made.ended < began) requireSync(dirname(made.path), made.ended, began);
        }
      }
    },
  };
}

function newName(text: string): Pick<NewName, 'written' | 'path'> | null {
  if (/= -1/.test(text)) return null;
  if (/^openat\(.*O_EXCL/.test(text)) {
    const path = /= \d+<([^>]+)>$/.exec(text)?.[1];
    // A temporary file gets the name that counts by a rename.
    return path === undefined || path.endsWith('.tmp') ? null : { written: path, path };
  }
  const renamed = /^(?:rename(?:at2?)?|link(?:at)?)\([^"]*"([^"]+)",[^"]*"([^"]+)"/.exec(text);
  return renamed === null ? null : { written: renamed[1] ?? '', path: renamed[2] ?? '' };
}
