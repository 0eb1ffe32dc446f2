/** Entry of the writer thread: the only connection of a server that changes what others may have changed meanwhile. */
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { HookctlError, messageOf } from '../../errors.ts';
import type { Outcome, WriterAnswer, WriterRequest, WriterWaiting } from '../local/writer.ts';
import { type Address, isAway, isConflict } from './client.ts';
import { join, leave, type Machine, noteAlive } from './machines.ts';
import { postgresOperations } from './operations.ts';
import { openLink } from './sql.ts';

export interface WriterData {
  readonly address: Address;
  readonly machine: Machine;
}

/** Transactions of all servers follow one another, so that each finds what it has read unchanged: any number that no other program uses. */
const WRITE_LOCK = 0x484b4457;
/** After what another transaction took first, in ms. */
const CONFLICT_MS = 5;
const MOST_CONFLICTS = 20;
/** While the database is away. */
const AWAY_MS = 250;
/** A server that is stopped in a transaction would keep the others from writing, in ms. */
const STALLED_MS = 5_000;

/** Others took over the work of this machine; it goes on as a new one, of this id. */
export interface Rejoined {
  readonly machine: string;
}

const { address, machine: first } = workerData as WriterData;
let machine = first;
const operations = postgresOperations(() => machine);
const link = openLink(address, { statementMs: 60_000, idleMs: STALLED_MS });
const { sql, exec } = link;
let isClosing = false;
let isJoined = false;
/** The number of the last transaction, by which is found out whether it was kept when its end got no answer. */
let number = 0;

/** A call that fails takes the others with it, so they are run anew, each undone alone. */
async function answer(request: WriterRequest): Promise<WriterAnswer> {
  number += 1;
  let isApart = false;
  for (let conflicts = 0; ; ) {
    let outcomes: readonly Outcome[] | null = null;
    try {
      begin();
      outcomes = request.calls.map(isApart ? runApart : (call) => ({ result: run(call) }));
      exec('commit');
      return { outcomes, error: null, damaged: [] };
    } catch (error) {
      undo();
      if (error instanceof HookctlError && error.code === 'lease_lost') {
        rejoin();
        return { outcomes: [], error: error.message, damaged: [] };
      }
      if (isAway(error)) {
        if (isClosing) return { outcomes: [], error: messageOf(error), damaged: [] };
        parentPort?.postMessage({ waiting: messageOf(error) } satisfies WriterWaiting);
        await delay(AWAY_MS);
        // The answer to the commit may be all that was lost.
        if (outcomes !== null && wasKept()) return { outcomes, error: null, damaged: [] };
      } else if (isConflict(error) && conflicts < MOST_CONFLICTS) {
        conflicts += 1;
        isApart ||= conflicts > 2 && request.calls.length > 1;
        await delay(CONFLICT_MS * Math.random());
      } else if (isApart || request.calls.length === 0 || outcomes !== null || !isUnderWay) {
        return { outcomes: [], error: messageOf(error), damaged: [] };
      } else isApart = true;
    }
  }
}

/** Whether calls of the transaction were run: what fails before fails for all of them. */
let isUnderWay = false;

function begin(): void {
  isUnderWay = false;
  exec('begin');
  sql.value('select pg_advisory_xact_lock(?::int, hashtext(?))::text', [WRITE_LOCK, address.schema]);
  if (!isJoined) join(sql, machine);
  noteAlive(sql, machine, number);
  isJoined = true;
  isUnderWay = true;
}

function rejoin(): void {
  rejoined += 1;
  machine = { ...first, id: `${first.id}-${rejoined}` };
  isJoined = false;
  parentPort?.postMessage({ machine: machine.id } satisfies Rejoined);
}

let rejoined = 0;

function undo(): void {
  try {
    exec('rollback');
  } catch {
    // The connection is gone, and its transaction with it.
  }
}

function wasKept(): boolean {
  try {
    return sql.value('select 1 from machines where id = ? and last_write = ?', [machine.id, number]) !== null;
  } catch {
    return false;
  }
}

function run({ name, given }: WriterRequest['calls'][number]): unknown {
  const operation: (of: typeof sql, ...given: never) => unknown = operations[name];
  return operation(sql, ...(given as never));
}

function runApart(call: WriterRequest['calls'][number]): Outcome {
  exec('savepoint call');
  try {
    const result = run(call);
    exec('release call');
    return { result };
  } catch (error) {
    if (isAway(error)) throw error;
    exec('rollback to call; release call');
    return { error: messageOf(error) };
  }
}

parentPort?.on('message', async (request: WriterRequest | 'close') => {
  if (request !== 'close') {
    parentPort?.postMessage(await answer(request));
    return;
  }
  isClosing = true;
  try {
    if (isJoined) leave(sql, machine);
  } catch {
    // Its lease ends by itself.
  }
  link.close();
  parentPort?.close();
});
