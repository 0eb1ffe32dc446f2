import type { Agent } from 'node:http';
import { type Answer, type Effect, type Hook, newHook, post } from './hooks.ts';

/** What the sender knows of a delivery: that it sent it, and what it was told. */
export interface Entry {
  readonly hook: Hook;
  /** Ids that hookctl named in a 2xx: more than one where it was sent again. */
  readonly ids: string[];
}

/** The sender's book, against which hookctl's is held in the end. */
export interface Ledger {
  readonly entries: ReadonlyMap<string, Entry>;
  /** How many deliveries were answered 2xx. */
  acknowledged(): number;
  /** Sends one, new or again, and notes what came of it. Null: no answer came. */
  send(url: string, hook?: Hook, agent?: Agent): Promise<Answer | null>;
  /** Those of which nobody knows whether they arrived; a sender delivers them again. */
  unanswered(): readonly Hook[];
  /** A book that begins with what stands in this one. */
  copy(): Ledger;
}

export interface LedgerOptions {
  /** What the next new delivery is to come to. Default: one in ten has files, one in ten is answered. */
  readonly effect?: (index: number) => Effect;
  /** What it begins with. */
  readonly known?: Iterable<Entry>;
}

const usual = (index: number): Effect => (index % 10 === 3 ? 'files' : index % 10 === 7 ? 'reply' : 'task');

export function newLedger({ effect = usual, known = [] }: LedgerOptions = {}): Ledger {
  const entries = new Map([...known].map(({ hook, ids }) => [hook.guid, { hook, ids: [...ids] }]));
  let made = 0;
  let acknowledged = 0;

  async function send(url: string, hook = newHook(effect(made++)), agent?: Agent): Promise<Answer | null> {
    const entry = entries.get(hook.guid) ?? { hook, ids: [] };
    entries.set(hook.guid, entry);
    const answer = await post(url, hook, agent === undefined ? {} : { agent }).catch(() => null);
    if (answer !== null && isAccepted(answer)) {
      if (entry.ids.length === 0) acknowledged += 1;
      entry.ids.push(answer.id);
    }
    return answer;
  }

  return {
    entries,
    acknowledged: () => acknowledged,
    send,
    unanswered: () => [...entries.values()].filter(({ ids }) => ids.length === 0).map(({ hook }) => hook),
    copy: () => newLedger({ effect, known: entries.values() }),
  };
}

/** A refusal that keeps the promise: 503, and when to come again. Throws otherwise. */
export function requireRefusal(answer: Answer): void {
  if (answer.status !== 503) throw new Error(`answered ${answer.status}, neither 2xx nor 503`);
  if (!/^[1-9]\d*$/.test(answer.retryAfter ?? ''))
    throw new Error(`a 503 with Retry-After ${answer.retryAfter}`);
}

export function isAccepted(answer: Answer | null): boolean {
  return answer !== null && answer.status >= 200 && answer.status < 300;
}

/** For messages. */
export function told(answer: Answer | null): string {
  return answer === null ? 'not answered' : `answered ${answer.status}`;
}
