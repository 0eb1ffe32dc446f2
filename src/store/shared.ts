import { setTimeout as delay } from 'node:timers/promises';
import { HookctlError } from '../errors.ts';
import type { PendingDelivery } from './selection.ts';

/** A process that has joined a shared store and has not left. */
export interface MachineInfo {
  readonly id: string;
  /** Name of the computer. */
  readonly host: string;
  /** What was started there, e.g. `serve`. */
  readonly command: string;
  readonly version: string;
  readonly pid: number;
  /** Epoch milliseconds, by the database's clock. */
  readonly startedAt: number;
  readonly seenAt: number;
  /** Whether its lease is over: others take its work on. */
  readonly isGone: boolean;
  /** Runs of agents, and pending deliveries that it has taken on. */
  readonly running: number;
  readonly waiting: number;
}

/** What one sign of life found. */
export interface Beat {
  /** Pending deliveries of machines that are gone, which are this machine's from now on, in the order in which they came. */
  readonly taken: readonly PendingDelivery[];
  /** Whether runs of agents are left of machines that are gone. */
  readonly hasLeftRuns: boolean;
  /** Machines that live, this one included. */
  readonly machines: number;
}

/** Whether a pending delivery may be worked on: an earlier one of its thread is with another machine (`later`), or it is itself. */
export type Turn = 'now' | 'later' | 'elsewhere';

/** What a store that several machines use has beside the port. */
export interface SharedStore {
  /** Gives a sign of life, without which others take over after ten seconds. */
  beat(): Promise<Beat>;
  /** The version of a file that all machines have alike; 0 when it was never written. */
  documentVersion(name: string): number;
  turnOf(deliveryId: string): Turn;
  /** The same of many. */
  turnsOf(deliveryIds: readonly string[]): ReadonlyMap<string, Turn>;
  /** Whether a run of an agent is this machine's, another's, or that of one that is gone. */
  ownerOfRun(runId: string): 'mine' | 'other' | 'gone';
  /** The machine that has the newest session of a conversation, where that is another one. Null when this one may go on or begin one. */
  sessionElsewhere(
    conversationId: string,
    sessionKey: string,
  ): { readonly host: string; readonly silentMs: number } | null;
  /** Calls back when another machine may have something to do for this one: a hint, which may be lost. Returns what ends it. */
  onHint(listen: () => void): () => void;
  /** Calls back when others took over what this machine had: it must end what it does about it. */
  onLost(listen: () => void): () => void;
}

/** Whether a store failed because its database can't be reached: the same works when that is back. */
export function isStoreAway(error: unknown): boolean {
  return error instanceof HookctlError && error.code === 'store_away';
}

const AGAIN_MS = 500;

/** Does work that reads the store, again and again while its database is away. */
export async function whenBack<T>(work: () => T): Promise<T> {
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isStoreAway(error)) throw error;
      await delay(AGAIN_MS);
    }
  }
}
