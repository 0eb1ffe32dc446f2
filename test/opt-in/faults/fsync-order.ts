import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { amount, type Fault } from './fault.ts';
import { connections } from './support/hooks.ts';
import { newLedger } from './support/ledger.ts';
import { lacksStrace } from './support/machine.ts';
import { onStage } from './support/stage.ts';
import { attach, type Call, callsOf } from './support/strace.ts';
import { inLanes } from './support/wait.ts';

const SENDERS = 8;
const CALLS = 'write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync,msync';
/** strace prints so many bytes of what is written: a record, or a page of the db, whole. */
const SHOWN_BYTES = 65_536;

export const fsyncOrder: Fault = {
  name: 'fsync-order',
  claim:
    'under load, each 2xx on the ingress socket follows an fsync issued after the last write of its delivery',
  lacks: lacksStrace,
  hasShort: false,
  run: (trial) =>
    onStage(
      trial,
      async ({ bed, ledger, serve, conclude }) => {
        const served = await serve();
        const log = join(bed.root, 'trace');
        const options = ['-yy', '-e', `trace=${CALLS}`, '-s', String(SHOWN_BYTES), '-o', log];
        const tracer = await attach({ pid: served.pid }, options);
        const agent = connections(SENDERS);
        const wanted = amount(trial, { full: 1_000, quick: 100, short: 20 });
        await inLanes(wanted, SENDERS, async () => void (await ledger.send(served.url, undefined, agent)));
        agent.destroy();
        await tracer.detach();
        const calls = [...callsOf(readFileSync(log, 'latin1'))];
        const answers = calls.flatMap((call) => answered(call) ?? []);
        const order = orderOf(calls, bed.dataFolder);
        for (const answer of answers) {
          await trial.part(`the answer to ${answer.id}`, () => order.judge(answer));
        }
        await trial.part('every answer was seen', () => {
          if (answers.length !== ledger.acknowledged())
            throw new Error(`${ledger.acknowledged()} were acknowledged, ${answers.length} are in the trace`);
        });
        trial.note(`${order.syncs} syncs for ${answers.length} deliveries`);
        await conclude(served);
      },
      // The work behind the answers would only make the trace longer.
      { ledger: newLedger({ effect: () => 'task' }) },
    ),
};

/** A 2xx that was written to a socket, and the delivery that it names. */
interface Answered {
  readonly id: string;
  readonly began: number;
}

function answered({ text, began }: Call): Answered | null {
  if (!/^\w+\(\d+<TCP/.test(text) || !/"HTTP\/1\.1 2/.test(text)) return null;
  const id = /x-hookctl-delivery: (dlv-[0-9a-z]{16})/i.exec(text)?.[1];
  return id === undefined ? null : { id, began };
}

interface FileCall {
  readonly path: string;
  readonly began: number;
  readonly ended: number;
}

/** Which files of the folder got a delivery, and when each was synced. */
function orderOf(calls: readonly Call[], folder: string) {
  const syncs: FileCall[] = [];
  const writes = new Map<string, FileCall[]>();
  for (const { name, text, began, ended } of calls) {
    const path = /^\w+\(\d+<([^>]+)>/.exec(text)?.[1] ?? '';
    if (!path.startsWith(folder)) continue;
    const call = { path, began, ended };
    if (/sync$/.test(name)) {
      if (/= 0$/.test(text)) syncs.push(call);
      continue;
    }
    for (const id of new Set(text.match(/dlv-[0-9a-z]{16}/g))) {
      writes.set(id, [...(writes.get(id) ?? []), call]);
    }
  }
  return {
    syncs: syncs.length,
    /**
     * Throws unless every file that got the delivery was synced between that and the answer. Its first write counts:
     * a page of the db is written again with later deliveries.
     */
    judge({ id, began }: Answered): void {
      const first = new Map<string, FileCall>();
      for (const write of (writes.get(id) ?? []).filter(({ ended }) => ended < began).toReversed()) {
        first.set(write.path, write);
      }
      if (first.size === 0) throw new Error('answered before anything of it was written');
      for (const { path, ended } of first.values()) {
        const synced = syncs.some((sync) => sync.path === path && sync.began > ended && sync.ended < began);
        if (!synced) throw new Error(`${path} was not synced between the write and the answer`);
      }
    },
  };
}
