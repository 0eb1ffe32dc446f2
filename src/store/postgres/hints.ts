import type { Client } from 'pg';
import { type Address, connect } from './client.ts';

/**
 * Tells the other machines that there may be something to do, and hears it from them, by NOTIFY: outside of the transactions that it is
 * about, and rarely, because a commit with a notification waits for all others of the server. Who misses one finds out by looking.
 */
interface Hints {
  /** Something was stored. */
  give(): void;
  on(listen: () => void): () => void;
  close(): Promise<void>;
}

/** Between two that this process gives, in ms. */
const PACE_MS = 50;
/** Until a connection that broke is made again. */
const AGAIN_MS = 1_000;
const STATEMENT_MS = 5_000;

/** `isNeeded`: whether another machine listens. */
export function openHints(address: Address, isNeeded: () => boolean): Hints {
  const listeners = new Set<() => void>();
  const channel = `"hookctl ${address.schema}"`;
  let client: Client | null = null;
  let timer: NodeJS.Timeout | null = null;
  let again: NodeJS.Timeout | null = null;
  let isClosed = false;

  function lose(): void {
    const left = client;
    client = null;
    left?.end().catch(() => undefined);
    if (!isClosed) again ??= setTimeout(() => void listen(), AGAIN_MS).unref();
  }

  async function listen(): Promise<void> {
    again = null;
    try {
      const made = await connect(address, { statementMs: STATEMENT_MS });
      if (isClosed) return void (await made.end());
      client = made;
      made.on('notification', ({ payload }) => {
        // Its own come back, too.
        if (payload !== String(process.pid)) for (const each of listeners) each();
      });
      made.on('error', lose);
      made.on('end', () => client === made && lose());
      await made.query(`listen ${channel}`);
    } catch {
      lose();
    }
  }

  void listen();
  return {
    give() {
      if (timer !== null || client === null || !isNeeded()) return;
      timer = setTimeout(() => {
        timer = null;
        client?.query(`notify ${channel}, '${process.pid}'`).catch(() => undefined);
      }, PACE_MS).unref();
    },
    on(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      isClosed = true;
      clearTimeout(timer ?? undefined);
      clearTimeout(again ?? undefined);
      await client?.end().catch(() => undefined);
    },
  };
}
