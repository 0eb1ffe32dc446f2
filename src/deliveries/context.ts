import type { Surroundings } from '../actions/action.ts';
import type { Accounts } from '../config/accounts.ts';
import type { Repositories } from '../config/project/repositories.ts';
import type { LoopGuard } from '../config/project/schema.ts';
import type { GithubApps } from '../github-app/apps.ts';
import type { DeliveryIds, IdSource } from '../lib/ids.ts';
import type { Clock } from '../lib/time.ts';
import type { Store } from '../store/store.ts';
import type { ClaudeTasks } from '../tasks/claude/index.ts';
import type { Subject } from '../tasks/flows.ts';
import type { OwnerLimits } from '../tasks/owner-limits.ts';
import type { Delivery, Provider, RawRequest, Snapshot, Task, Webhook, WebhookEvent } from '../types.ts';
import type { Limits } from './rules/limits.ts';
import type { Choice } from './variants/choose.ts';

/** Finds out why the signature of a refused request did not fit. */
export interface Hints {
  /** In words for the operator. Null when nothing fits, or when hints come too often. */
  of(webhook: Webhook, request: RawRequest): string | null;
}

/** What the steps of a delivery work with. */
export interface PipelineContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly claude: ClaudeTasks;
  /** Limits of owners. */
  readonly owners: OwnerLimits;
  /** Open tasks that agents may have made below one root. */
  readonly mostChildren: number;
  /** The webhooks in force now. A step reads it once, so that a reload does not change it half way. */
  readonly snapshot: () => Snapshot;
  /** Names of webhooks that were started with `--insecure-no-verify`. */
  readonly insecure: ReadonlySet<string>;
  /** Proves that hookctl's own programs made a request: one that a relay passed on with changed bytes, or a sample. */
  readonly relayKey: string;
  /** Rate limits of senders. */
  readonly limits: Limits;
  /** When a thread is paused: `loopGuard` of webhooks.yml. */
  readonly loopGuard: LoopGuard;
  /** Hints for the operator about refused requests. */
  readonly hints: Hints;
  /** The accounts as which hookctl posts. */
  readonly accounts: Accounts;
  /** The GitHub Apps that post where they are installed. */
  readonly apps: GithubApps;
  /** Which repositories and projects are known. */
  readonly repositories: Repositories;
  /** Where the programs of commands run. */
  readonly surroundings: Surroundings;
}

/** A delivery with its outcome. */
export interface DispatchResult {
  readonly delivery: Delivery;
  readonly tasks: readonly Task[];
  /** No task was made or moved, and nothing is sent. */
  readonly quiet: boolean;
  /** Deliveries that waited and were worked off with it. Left out: none. */
  readonly also?: readonly DispatchResult[];
}

/** A delivery that stays pending until others of its flow have come, or until then; epoch milliseconds. */
export interface Held {
  readonly heldUntil: number;
}

/** One event of a delivery, with its webhook and provider. */
export interface EventContext {
  readonly delivery: Delivery;
  /** As the chosen variants have it. */
  readonly webhook: Webhook;
  /** Null where the webhook has no variants. */
  readonly choice: Choice | null;
  readonly provider: Provider;
  readonly event: WebhookEvent;
  /** Position of the event in its delivery. */
  readonly index: number;
  readonly ids: DeliveryIds;
  /** Its subject as the store knows it, looked up at the first call. */
  readonly subject: () => Subject;
}

/** Whether a sender delivered it. A replay by a person runs again and is no duplicate. */
export function isFirstHand({ trust, replayOf }: Pick<Delivery, 'trust' | 'replayOf'>): boolean {
  return trust !== 'operator' && replayOf === null;
}

/**
 * The webhook that a stored delivery belongs to, also when it has another name today; null when it is gone. Deliveries
 * from before ids were stored have only a name.
 */
export function findWebhook(
  { byName, byWebhookId }: Snapshot,
  { webhook, webhookId }: Pick<Delivery, 'webhook' | 'webhookId'>,
): Webhook | null {
  return (webhookId === null ? byName.get(webhook) : byWebhookId.get(webhookId)) ?? null;
}

/** Its id in the store; null for one that is written in code, which its name tells for good. */
export function webhookIdOf({ origin }: Webhook): string | null {
  return origin.kind === 'dynamic' ? origin.webhookId : null;
}
