import type { Surroundings } from '../actions/action.ts';
import type { Accounts } from '../config/accounts.ts';
import type { LoopGuard } from '../config/project/schema.ts';
import type { IdSource } from '../lib/ids.ts';
import type { Clock } from '../lib/time.ts';
import type { Store } from '../store/store.ts';
import type { ClaudeTasks } from '../tasks/claude/index.ts';
import type { Delivery, Provider, RawRequest, Snapshot, Task, Webhook, WebhookEvent } from '../types.ts';
import type { Limits } from './rules/limits.ts';

/** Looks for what refused requests are signed by instead. */
export interface Hints {
  /** In words for the operator; null: nothing was found, or hints come too often. */
  of(webhook: Webhook, request: RawRequest): string | null;
}

/** What the steps of the journey need. `App` is one of these. */
export interface PipelineContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly claude: ClaudeTasks;
  /** Open tasks that agents may have made below one root. */
  readonly mostChildren: number;
  /** The webhooks in force now; a step takes it once and stays with it. */
  readonly snapshot: () => Snapshot;
  /** Names of webhooks that were started with `--insecure-no-verify`. */
  readonly insecure: ReadonlySet<string>;
  /** By which requests of our own programs are known: passed on by a relay with changed bytes, or made as samples. */
  readonly relayKey: string;
  /** How much senders may ask for. */
  readonly limits: Limits;
  /** When a thread is paused: `loopGuard` of webhooks.yml. */
  readonly loopGuard: LoopGuard;
  /** What refused requests are signed by instead. */
  readonly hints: Hints;
  /** Who hookctl is where it answers. */
  readonly accounts: Accounts;
  /** Where the programs of commands run. */
  readonly surroundings: Surroundings;
}

/** What became of a delivery once its commands ran. */
export interface DispatchResult {
  readonly delivery: Delivery;
  readonly tasks: readonly Task[];
  /** Nothing came of it that others could see: no task was made or moved, and nothing is to be sent. */
  readonly quiet: boolean;
}

/** One event of a delivery, and where it happened. */
export interface EventContext {
  readonly delivery: Delivery;
  readonly webhook: Webhook;
  readonly provider: Provider;
  readonly event: WebhookEvent;
  /** Position of the event in its delivery. */
  readonly index: number;
}

/** Whether a sender delivered it. What a person replays is to run again. */
export function isFirstHand({ trust, replayOf }: Pick<Delivery, 'trust' | 'replayOf'>): boolean {
  return trust !== 'operator' && replayOf === null;
}
