import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { StandingPost } from '../../../support/provider-apis.ts';
import { amount, type Trial } from '../fault.ts';
import { newRoot } from '../support/bed.ts';
import { connections } from '../support/hooks.ts';
import { type Ledger, newLedger } from '../support/ledger.ts';
import type { Served } from '../support/served.ts';
import { onStage, type Stage } from '../support/stage.ts';
import {
  ACKNOWLEDGED,
  type Call,
  callsOf,
  type Leaving,
  leaving,
  POSTED,
  recording,
} from '../support/strace.ts';
import { inLanes } from '../support/wait.ts';
import { EVERYTHING, newDisk } from './disk.ts';
import { requireFiles } from './files.ts';
import { type Operation, operationsOf } from './operations.ts';

const SENDERS = 8;
const EFFECTS = ['task', 'files', 'task', 'reply'] as const;

/** A run under load. A point is a line of its log: what ended by then was done, what began by then has left. */
export interface Recorded {
  readonly root: string;
  /** A copy of what is in it beside the recorded folders. */
  readonly rest: string;
  readonly operations: readonly Operation[];
  /** Answers to deliveries, and replies. */
  readonly left: readonly Leaving[];
  /** What the sender knew at a point, with those deliveries that may have been on their way. */
  ledgerAt(point: number): Ledger;
  /** Comments that were at GitHub by then. */
  postsAt(point: number): readonly StandingPost[];
  remove(): void;
}

/** The folders of a stage that are recorded. */
export function foldersOf(root: string): readonly string[] {
  return [join(root, 'data'), join(root, 'claude')];
}

/**
 * Records hookctl in a new folder: its first start, load, kill -9 when all of it was worked off, the next start, load,
 * and SIGTERM in the middle of the work.
 */
export async function record(trial: Trial): Promise<Recorded> {
  const [root, rest] = [newRoot(), newRoot()];
  const folders = foldersOf(root);
  const ledger = newLedger({ effect: (index) => EFFECTS[index % EFFECTS.length] ?? 'task' });
  const posts: StandingPost[] = [];
  const calls: Call[] = [];
  const operations: Operation[] = [];
  const run = async (stage: Stage) => {
    const first = await traced(stage, async (served) => {
      await underLoad(trial, ledger, served);
      await stage.audit(served);
      await served.stop('SIGKILL');
    });
    const second = await traced(stage, async (served) => {
      await underLoad(trial, ledger, served);
      await served.stop();
    });
    calls.push(...callsOf(`${first}\n${second}`));
    posts.push(...stage.github.posts);
    operations.push(...operationsOf(calls, folders));
    const disk = newDisk(folders);
    for (const operation of operations) disk.apply(operation);
    await trial.part('what was recorded makes the files that are there', () =>
      requireFiles(disk.after(EVERYTHING), folders),
    );
    cpSync(root, rest, { recursive: true, filter: (path) => !folders.includes(path) });
  };
  await onStage(trial, run, { root, ledger });
  const left = calls.flatMap((call) => [...leaving(call, ACKNOWLEDGED), ...leaving(call, POSTED)]);
  const at = new Map(left.map(({ id, began }) => [id, began]));
  const lineOf = (id: string) => {
    const line = at.get(id);
    if (line === undefined) throw new Error(`${id} was received, and its sending not recorded`);
    return line;
  };
  return {
    root,
    rest,
    operations,
    left,
    ledgerAt(point) {
      const known = [...ledger.entries.values()].map(({ hook, ids }) => ({
        hook,
        ids: ids.filter((id) => lineOf(id) <= point),
      }));
      const [acknowledged, others] = [true, false].map((is) =>
        known.filter(({ ids }) => ids.length > 0 === is),
      );
      // A sender waits for an answer before it sends the next one.
      return newLedger({ known: [...(acknowledged ?? []), ...(others ?? []).slice(0, SENDERS)] });
    },
    postsAt: (point) => posts.filter(({ text }) => lineOf(POSTED.exec(text)?.[1] ?? '') <= point),
    remove() {
      for (const folder of [root, rest]) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Returns what strace wrote. */
async function traced({ bed, serve }: Stage, act: (served: Served) => Promise<void>): Promise<string> {
  const log = join(bed.root, 'trace');
  await act(await serve({ through: ['strace', '-f', ...recording(log)] }));
  const calls = readFileSync(log, 'latin1');
  rmSync(log);
  return calls;
}

async function underLoad(trial: Trial, ledger: Ledger, { url }: Served): Promise<void> {
  const agent = connections(SENDERS);
  const deliveries = amount(trial, { full: 100, quick: 60, short: 40 });
  await inLanes(deliveries, SENDERS, async () => void (await ledger.send(url, undefined, agent)));
  agent.destroy();
}
