/**
 * Entry of a thread that asks the database while the thread that started it waits: reads of the port are synchronous. One connection,
 * one statement at a time; a broken one is made anew at the next statement.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Client } from 'pg';
import { HookctlError, messageOf } from '../../errors.ts';
import {
  type Address,
  type ClientOptions,
  codeOf,
  connect,
  explained,
  isAway,
  unreachable,
} from './client.ts';

export interface Ask {
  readonly text: string;
  /** Under which the server keeps the statement. Left out for one that has no values. */
  readonly name?: string;
  readonly values: readonly unknown[];
}

export type Answer =
  | { readonly rows: readonly unknown[]; readonly count: number }
  | {
      readonly error: string;
      readonly code: string;
      readonly exitCode: number | null;
      readonly fix: string | null;
    };

/** A question, and its answer. */
export type Numbered<Message> = Message & { readonly number: number };

export interface ConnectionData {
  readonly address: Address;
  readonly port: MessagePort;
  /** Becomes 1 when an answer is there. */
  readonly signal: Int32Array;
  readonly limits: ClientOptions;
}

const { address, port, signal, limits } = workerData as ConnectionData;
let client: Client | null = null;
let connecting: Promise<Client> | null = null;
let hasConnected = false;

/** How long who asks waits for a connection that broke to be made again, in ms: a server has requests to answer meanwhile. */
const PATIENCE_MS = 300;

async function connected(): Promise<Client> {
  if (client !== null) return client;
  connecting ??= connect(address, limits).finally(() => {
    connecting = null;
  });
  const made = connecting.then((fresh) => {
    client = fresh;
    hasConnected = true;
    return fresh;
  });
  if (!hasConnected) return made;
  made.catch(() => undefined);
  const late = delay(PATIENCE_MS, null, { ref: false });
  return (await Promise.race([made, late])) ?? Promise.reject(unreachable(address));
}

async function answer(ask: Ask): Promise<Answer> {
  try {
    const asked = await connected();
    const { rows, rowCount } = await asked.query({ ...ask, values: [...ask.values] });
    return { rows, count: rowCount ?? 0 };
  } catch (thrown) {
    const error = explained(thrown, address);
    if (isAway(error)) leave();
    const known = error instanceof HookctlError ? error : null;
    const code = error instanceof Error ? codeOf(error) : '';
    return { error: messageOf(error), code, exitCode: known?.exitCode ?? null, fix: known?.fix ?? null };
  }
}

function leave(): void {
  const left = client;
  client = null;
  left?.end().catch(() => undefined);
}

port.on('message', async (said: Numbered<Ask> | 'close') => {
  if (said === 'close') {
    leave();
    return port.close();
  }
  const { number, ...ask } = said;
  port.postMessage({ ...(await answer(ask)), number } satisfies Numbered<Answer>);
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
});

// Kept open by the port alone.
parentPort?.unref();
