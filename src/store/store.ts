import type {
  Decision,
  Delivery,
  DeliveryStatus,
  Headers,
  NewAuditEntry,
  NewOutgoing,
  NewTask,
  Outgoing,
  OutgoingStatus,
  Task,
  Trust,
} from '../types.ts';
import type { AnswerTimesReader, AnswerTimesWriter } from './answer-times.ts';
import type { AuditFilter, AuditReader } from './audit.ts';
import type { ConnectionReader, ConnectionWriter } from './connections.ts';
import type { FlowJoin, FlowLink, HeldDelivery, RepairFilter, RepairNote } from './flows.ts';
import type { RunReader, RunWriter } from './runs.ts';
import type {
  BodyFilter,
  OwnerSelection,
  PendingDelivery,
  PrunableBody,
  SearchFilter,
  SelectionReader,
  Swept,
} from './selection.ts';
import type { MachineInfo, SharedStore } from './shared.ts';
import type { StatsReader } from './stats.ts';
import type { SweepReader, SweepWriter } from './sweeps.ts';
import type { TaskCheckReader, TaskCheckWriter } from './task-checks.ts';
import type {
  AgentEventReader,
  AgentEventWriter,
  ConversationFilter,
  FlowFilter,
  TaskChange,
  TaskFilter,
  TaskReader,
  TaskWriter,
} from './tasks.ts';

/** A request that passed verification (or is a replay), ready to be made durable. */
export interface NewDelivery {
  readonly id: string;
  readonly webhook: string;
  /** Of a dynamic webhook; null for one that is written in code, which its name tells for good. */
  readonly webhookId: string | null;
  readonly owner: string;
  readonly provider: string;
  /**
   * `unparsed` is stored whole but never queued, `ignored` is settled already; the store itself detects a duplicate.
   */
  readonly status: 'pending' | 'unparsed' | 'ignored';
  readonly trust: Trust;
  readonly reason: string | null;
  readonly senderDeliveryId: string | null;
  /**
   * Keys that make it a duplicate (`deliveries/dedupe-keys.ts`), e.g. `id:72d3…`, `body:9f86…`. They count within the webhook,
   * those with `@` for all. Empty for replays.
   */
  readonly dedupeKeys: readonly string[];
  readonly eventType: string | null;
  readonly externalId: string | null;
  readonly senderName: string | null;
  /** A person wrote its text, not an app. */
  readonly isByPerson: boolean;
  /** `hookctl trigger` made it. */
  readonly isSample: boolean;
  readonly headers: Headers;
  readonly query: string;
  readonly body: Uint8Array;
  readonly receivedAt: number;
  /** Null, and `decisions` empty, unless it is settled. */
  readonly settledAt: number | null;
  readonly decisions: readonly Decision[];
  readonly replayOf: string | null;
  readonly replies: boolean;
}

/** How the store took a new delivery. */
interface Accepted {
  readonly status: NewDelivery['status'] | 'duplicate';
  readonly duplicateOf: string | null;
}

/** A request that failed verification: bounded facts, nothing of the body. */
export interface NewRejection {
  readonly id: string;
  readonly webhook: string;
  /** Of a dynamic webhook. */
  readonly webhookId: string | null;
  readonly owner: string;
  readonly provider: string;
  readonly reason: string;
  readonly senderDeliveryId: string | null;
  readonly eventType: string | null;
  readonly size: number;
  readonly receivedAt: number;
}

/** The end of a delivery's dispatch, recorded in one transaction with all that it made. */
export interface DeliveryOutcome {
  readonly deliveryId: string;
  readonly status: 'processed' | 'ignored' | 'failed' | 'duplicate';
  /** The delivery that did it before; only of a duplicate. */
  readonly duplicateOf?: string;
  readonly reason: string;
  readonly decisions: readonly Decision[];
  /** See `Delivery.variant`; left out: null. */
  readonly variant?: string;
  /** What the delivery changes, recorded in the same transaction. */
  readonly effects: readonly Effect[];
  readonly settledAt: number;
  /** Pending deliveries that are settled by the same effects, because they waited together. Left out: none. */
  readonly others?: readonly Pick<
    DeliveryOutcome,
    'deliveryId' | 'status' | 'reason' | 'decisions' | 'variant'
  >[];
}

/** One thing that a delivery changes. */
export type Effect =
  /** A task is made, its flow and conversation too where they do not exist. */
  | ({ readonly kind: 'task' } & TaskInFlow)
  /** Something is sent; it waits in the outbox from the same moment on. */
  | {
      readonly kind: 'post';
      readonly item: NewOutgoing;
      /** The delivery to whose thread it belongs. Left out, or null when that is the event's own. */
      readonly of?: string | null;
    }
  /** A task that waited for an answer is queued again, its prompt longer by `prompt`, which is fenced already. */
  | { readonly kind: 'answer'; readonly taskId: string; readonly prompt: string }
  /** A task that waited for approval is queued. */
  | { readonly kind: 'approve'; readonly taskId: string }
  /** A task is cancelled, or queued again, as the delivery's sender asked. */
  | { readonly kind: 'stop'; readonly change: TaskChange }
  /** A further name by which a flow is found from now on. */
  | { readonly kind: 'alias'; readonly alias: FlowAlias }
  /** Two flows become one, or no longer. */
  | { readonly kind: 'join'; readonly join: FlowJoin }
  /** The subject of a flow was renamed or moved: its tasks post in another thread from now on. */
  | { readonly kind: 'move'; readonly to: FlowThread }
  /** The key of a text of which a command ran (`deliveries/dedupe-keys.ts`): no other delivery runs it again. */
  | { readonly kind: 'claim'; readonly key: string }
  /** The result of a check was dealt with. */
  | { readonly kind: 'repair'; readonly note: RepairNote }
  /** A program ran: it must not run again, so that the outcome is on disk when it is recorded. */
  | { readonly kind: 'ran' };

/** The effects of one kind, in their order. */
export function effectsOf<Kind extends Effect['kind']>(
  effects: readonly Effect[],
  kind: Kind,
): readonly Extract<Effect, { readonly kind: Kind }>[] {
  return effects.filter((effect): effect is Extract<Effect, { readonly kind: Kind }> => effect.kind === kind);
}

/** What a flow's subject is called in the places to which its tasks post. */
export interface FlowThread {
  /** The subject's own flow, and the one in which it goes on. */
  readonly flowIds: readonly string[];
  /** The external ids that the subject has or had: a flow may own other subjects. */
  readonly externalIds: readonly string[];
  readonly place: Readonly<Record<string, string>>;
}

/** A name of a flow beside the one that its id is made of. */
export interface FlowAlias {
  readonly alias: string;
  readonly flowId: string;
  /** An id that a rename, transfer or move of the subject does not change; otherwise an external id. */
  readonly stable: boolean;
}

/** A task with where it belongs. */
export interface TaskInFlow {
  readonly task: NewTask;
  readonly command: string;
  /** Qualified external id; its flow is made if it does not exist. */
  readonly externalId: string;
  readonly flowId: string;
  /** Used if the flow has no conversation yet, or if a new one was asked for. */
  readonly newConversationId: string;
  readonly startNewConversation: boolean;
}

export interface DeliveryFilter extends SearchFilter {
  readonly id?: string;
  /** Epoch milliseconds: only what was settled then or later. */
  readonly settledSince?: number;
  readonly status?: DeliveryStatus;
  readonly webhook?: string;
  readonly owner?: string;
  /** Only rows after this id, oldest first (for `--follow`). */
  readonly after?: string;
  /** Only rows before this id, newest first (for the next page). */
  readonly before?: string;
  /** Default 50. */
  readonly limit?: number;
}

interface SettledFilter {
  readonly owner: string;
  readonly status: DeliveryStatus;
  /** Epoch milliseconds. */
  readonly since: number;
  /** Only those whose reason begins so. */
  readonly reason?: string;
}

export interface OutgoingFilter {
  /** Epoch milliseconds: only what was settled then or later. */
  readonly settledSince?: number;
  readonly status?: OutgoingStatus;
  readonly deliveryId?: string;
  readonly owner?: string;
  /** Only rows before this id, newest first (for the next page). */
  readonly before?: string;
  /** Default 50. */
  readonly limit?: number;
}

/** The lists whose rows can be counted, by their filters. */
export interface Filters {
  readonly deliveries: DeliveryFilter;
  readonly tasks: TaskFilter;
  readonly flows: FlowFilter;
  readonly conversations: ConversationFilter;
  readonly outbox: OutgoingFilter;
  readonly audit: AuditFilter;
}

/** By which provider's account a post leaves that answers no delivery, and whose it is. */
export interface PostSource {
  readonly provider: string;
  readonly owner: string;
}

/** The result of a try to send. */
export interface OutgoingNote {
  readonly status: OutgoingStatus;
  readonly reason: string | null;
  readonly uncertain: boolean;
  readonly nextAttemptAt: number;
  readonly remoteId: string | null;
  /** Epoch milliseconds; null while it waits. */
  readonly settledAt: number | null;
}

export interface WebhookCounts {
  readonly webhook: string;
  readonly total: number;
  readonly byStatus: Readonly<Partial<Record<DeliveryStatus, number>>>;
  readonly lastDeliveryId: string | null;
  readonly lastReceivedAt: number | null;
}

/** All reads. Synchronous: SQLite answers from its page cache in microseconds. */
export interface StoreReader
  extends TaskReader,
    SelectionReader,
    RunReader,
    StatsReader,
    AuditReader,
    AgentEventReader,
    ConnectionReader,
    TaskCheckReader,
    SweepReader,
    AnswerTimesReader {
  delivery(id: string): Delivery | null;
  deliveries(filter?: DeliveryFilter): readonly Delivery[];
  /**
   * The bytes as received; null for rejected and duplicate rows and where retention removed them. Throws
   * `damaged_body` or `missing_body` when the disk no longer has the bytes that were received.
   */
  body(deliveryId: string): Uint8Array | null;
  /** Bodies that retention may remove, the oldest first. */
  prunable(filter: BodyFilter, limit: number): readonly PrunableBody[];
  /** How many those are, and their bytes. */
  countPrunable(filter: BodyFilter): { readonly count: number; readonly bytes: number };
  /** When the newest delivery but `rank` came, epoch milliseconds; null when there are fewer rows. */
  receivedAtRank(rank: number): number | null;
  /** Bytes that the log of bodies takes on disk. */
  logBytes(): number;
  /** Of all, or of these webhooks alone, and of one owner's deliveries; webhooks that received nothing are missing. */
  countsByWebhook(webhooks?: readonly string[], owner?: string): readonly WebhookCounts[];
  /** Pending deliveries in the order in which they came, at most `limit`, whose id is after `after`. */
  pending(after: string | null, limit: number): readonly PendingDelivery[];
  /** The aliases among these names. */
  aliases(names: readonly string[]): readonly FlowAlias[];
  /** All aliases of a flow. */
  aliasesOf(flowId: string): readonly FlowAlias[];
  /** The link by which a flow goes on in another. Null when it goes on in none. */
  linkOf(flowId: string): FlowLink | null;
  /** The flows that go on in a flow, the oldest link first. */
  linksInto(flowId: string): readonly FlowLink[];
  /** External ids of an owner's flows about a ticket of Jira or Linear, such as `PROJ-12`, on whichever site. */
  ticketsNamed(key: string, owner: string): readonly string[];
  /** What was done about results of checks, newest first, at most 1,000. */
  repairs(filter: RepairFilter): readonly RepairNote[];
  /** Pending deliveries that wait for others, in the order in which they came. */
  held(filter: Partial<Pick<HeldDelivery, 'deliveryId' | 'waitGroup' | 'flowId'>>): readonly HeldDelivery[];
  outgoing(id: string): Outgoing | null;
  /** Posts that show or showed the buttons of a task, and their edits, in the order in which they were made. */
  postsWithButtons(taskId: string): readonly Outgoing[];
  /** Tasks of which a post shows other buttons than their status has, at most `limit`. */
  staleButtons(limit: number): readonly string[];
  /** Newest first. */
  outbox(filter?: OutgoingFilter): readonly Outgoing[];
  /** The id that is `count` rows before an id, or before the newest; null when there are fewer rows. */
  idBefore(list: 'deliveries' | 'tasks', before: string | undefined, count: number): string | null;
  /** How many rows a list has for a filter, whatever its `limit`. */
  count<List extends keyof Filters>(list: List, filter?: Filters[List]): number;
  countsByOutgoingStatus(owner?: string): Readonly<Partial<Record<OutgoingStatus, number>>>;
  /** Items that wait to be sent, the first due first, at most `limit`; also those that are due later. */
  waitingOutgoing(limit: number): readonly Outgoing[];
  /**
   * How often the reply channel that a delivery brought is used before this item's turn: by earlier items, whether
   * they were sent by now or not, so that the order of sending does not change the count.
   */
  responsesBefore(item: Pick<Outgoing, 'id' | 'deliveryId'>): number;
  /** The delivery that acted and holds a key that counts for all webhooks (`@act:…`); null when there is none. */
  holderOf(key: string): string | null;
  /** How many of an owner's deliveries about one external id were settled so; replays do not count. */
  countSettled(externalId: string, filter: SettledFilter): number;
  /** Machines that share the store, the oldest first; empty for one that a single process has. */
  machines(): readonly MachineInfo[];
  close(): void;
}

/**
 * The one truth. An accepted delivery is on disk when `accept` resolves, and can be read a few milliseconds later (`indexed`). Any
 * other write can be read when it resolves; it is on disk then, too, unless it can be made again from what was accepted. A write
 * that rejects left nothing behind.
 */
export interface Store
  extends Omit<StoreReader, 'close'>,
    TaskWriter,
    RunWriter,
    AgentEventWriter,
    ConnectionWriter,
    TaskCheckWriter,
    SweepWriter,
    AnswerTimesWriter {
  /** Throws `index_behind` while too many accepted deliveries can't be read yet. */
  accept(delivery: NewDelivery): Promise<Accepted>;
  /** Resolves when all deliveries that were accepted before can be read. */
  indexed(): Promise<void>;
  /** Keeps the newest 1,000 rejections, and 200 of requests to no webhook. */
  reject(rejection: NewRejection): Promise<void>;
  /** Records outcome and tasks; returns the tasks as stored. Does nothing when the delivery is no longer pending. */
  recordOutcome(outcome: DeliveryOutcome): Promise<readonly Task[]>;
  /** Counts a failed attempt; the delivery stays pending. */
  postpone(deliveryId: string, reason: string, nextAttemptAt: number): Promise<void>;
  /**
   * Makes a failed or ignored delivery pending again. Returns false when it is in another state, or when its keys
   * belong to a later delivery of the same thing.
   */
  requeue(deliveryId: string): Promise<boolean>;
  /** Queues a comment that belongs to no step of a task. Returns false when its delivery is no longer stored. */
  addComment(item: NewOutgoing, deliveryId: string, now: number): Promise<boolean>;
  /** Queues a post that answers no delivery, or an edit of any post. Returns false when there is nothing to edit any more. */
  addPost(item: NewOutgoing, from: PostSource, now: number): Promise<boolean>;
  /** Counts a try before it is made, so that a crash does not hide that it may have happened. */
  beginOutgoing(id: string): Promise<void>;
  /** Does nothing to what no longer waits. */
  noteOutgoing(id: string, note: OutgoingNote): Promise<void>;
  /** Lets a pending delivery wait with the others of its group. When they are due, all at once; epoch milliseconds. */
  holdDelivery(held: HeldDelivery, reason: string): Promise<number>;
  /** Joins two flows. The link; null when they are one already, or a person took the join back. */
  joinFlows(join: FlowJoin, at: number): Promise<FlowLink | null>;
  /** Takes the join of a flow with an older one back. Returns false when it goes on in none. */
  unlinkFlow(flowId: string): Promise<boolean>;
  /** Makes a failed or dropped one wait again. Returns false when it is in another state. */
  retryOutgoing(id: string, now: number): Promise<boolean>;
  /** Gives up an item that waits or failed. Returns false when it is in another state. */
  dropOutgoing(id: string, now: number): Promise<boolean>;
  /** Removes bodies of settled deliveries, and sent items of their outbox; their rows stay. Returns how many. */
  removeBodies(ids: readonly string[], at: number): Promise<number>;
  /** Removes rows without bodies that came before, with their dedupe keys; at most `limit`. Returns how many. */
  forgetDeliveries(before: number, limit: number, of?: OwnerSelection): Promise<number>;
  /** Removes segments of the log that no delivery needs. */
  sweepLog(): Promise<Swept>;
  /** Appends to the audit, all or nothing. */
  recordAudit(entries: readonly NewAuditEntry[]): Promise<void>;
  /** Null for a store that one process has alone. */
  readonly shared: SharedStore | null;
  /** What was lost when the store was opened, and what to do, in words; empty when nothing was. */
  readonly problems: readonly string[];
  /** Writes a page that changes nothing; resolves when it is on disk, and rejects when no write would be kept. */
  probe(): Promise<void>;
  close(): Promise<void>;
}
