import { NO_WEBHOOK, type Task } from '../../../types.ts';
import type { HeldDelivery } from '../../flows.ts';
import {
  type DeliveryOutcome,
  type Effect,
  effectsOf,
  type NewRejection,
  type TaskInFlow,
} from '../../store.ts';
import { CLAIMANT_COLUMNS, type Claimant, keepKeys } from '../log/claims.ts';
import { type Sql, whole } from '../sql.ts';
import { DELIVERIES, type DeliveryRow } from '../tables/deliveries.ts';
import { HELD, REPAIRS } from '../tables/flows.ts';
import { insertAlias, joinFlows, openFlow, rootOf } from './flows.ts';
import { addComment, insertOutgoing } from './outbox.ts';
import { answerTask, applyChange, approveTask, insertTask, movePosts } from './tasks.ts';

/** A pending delivery, as far as its effects are made of it. */
type SettlingDelivery = Claimant &
  Pick<DeliveryRow, 'owner' | 'provider' | 'status' | 'sender_name' | 'sample'>;

/** Records the end of a delivery's dispatch and all that it made; nothing when the delivery is no longer pending. */
export function recordOutcome(sql: Sql, outcome: DeliveryOutcome): readonly Task[] {
  const { deliveryId, effects, duplicateOf = null, others = [], ...wanted } = outcome;
  const { settledAt } = wanted;
  const delivery = sql.one<SettlingDelivery>(
    `select ${CLAIMANT_COLUMNS}, owner, provider, status, sender_name, sample from deliveries where id = ?`,
    [deliveryId],
  );
  if (delivery?.status !== 'pending') return [];
  for (const { join } of effectsOf(effects, 'join')) joinFlows(sql, join, settledAt);
  // The flow may have been joined since it was looked up, also by this delivery.
  const tasks = effectsOf(effects, 'task').map((task) => ({ ...task, flowId: rootOf(sql, task.flowId) }));
  for (const flow of flowsOf(tasks)) openFlow(sql, { ...flow, owner: delivery.owner, at: settledAt });
  for (const { alias } of effectsOf(effects, 'alias')) insertAlias(sql, alias, settledAt);
  for (const { to } of effectsOf(effects, 'move')) movePosts(sql, to);
  const made = tasks.map((task) => makeTask(sql, task, delivery, settledAt));
  const late = new Set<string>();
  const steered = effects.flatMap((effect) => {
    const task = steerTask(sql, effect, delivery, settledAt);
    const decided = task === null ? decidedBy(effect) : null;
    if (decided !== null) late.add(decided);
    return task ?? [];
  });
  const end = { ...wanted, ...(late.size > 0 && tooLate(wanted, late)) };
  for (const { item, of } of effectsOf(effects, 'post')) {
    // It would name the one who came too late as the one who decided.
    if (item.buttonsOf != null && late.has(item.buttonsOf)) continue;
    if (of == null) insertOutgoing(sql, item, delivery, settledAt);
    else addComment(sql, item, of, settledAt);
  }
  for (const { note } of effectsOf(effects, 'repair'))
    REPAIRS.insert(sql, note, 'on conflict (id) do nothing');
  DELIVERIES.update(sql, deliveryId, { ...end, duplicateOf, nextAttemptAt: null });
  const hasActed = end.status === 'processed' || tasks.length > 0;
  keepKeys(
    sql,
    delivery,
    hasActed,
    effectsOf(effects, 'claim').map(({ key }) => key),
  );
  sql.run('delete from held_deliveries where delivery_id = ?', [deliveryId]);
  for (const other of others) recordOutcome(sql, { ...other, effects: [], settledAt });
  return [...made, ...steered];
}

/** The task that an effect decides about; null when it decides about none. */
function decidedBy(effect: Effect): string | null {
  if (effect.kind === 'approve') return effect.taskId;
  return effect.kind === 'stop' ? effect.change.taskId : null;
}

/** The outcome where somebody else decided about these tasks in the same moment, outside of this delivery's thread. */
function tooLate(
  { status, reason, decisions }: Pick<DeliveryOutcome, 'status' | 'reason' | 'decisions'>,
  late: ReadonlySet<string>,
): Pick<DeliveryOutcome, 'status' | 'reason' | 'decisions'> {
  const said = 'somebody else decided in the same moment';
  const missed = decisions.map((decision) =>
    decision.fired && decision.taskIds.length > 0 && decision.taskIds.every((id) => late.has(id))
      ? { ...decision, fired: false, reason: said }
      : decision,
  );
  const hadFired = decisions.some(({ fired }) => fired);
  const isMissed = hadFired && !missed.some(({ fired }) => fired) && status === 'processed';
  return isMissed
    ? { status: 'ignored', reason: said, decisions: missed }
    : { status, reason, decisions: missed };
}

/** Lets a pending delivery wait with its group. When all of them are due: a further one moves that, but not beyond the first one's `max`. */
export function holdDelivery(sql: Sql, held: HeldDelivery, reason: string): number {
  HELD.insert(sql, held, 'on conflict (delivery_id) do nothing');
  const { waitGroup: group } = HELD.one(sql, 'where delivery_id = ?', [held.deliveryId]) ?? held;
  const dueAt = whole(
    sql.count(
      `select min(last_window, first_end) from (
         select max(window_ends_at) as last_window, min(last_ends_at) as first_end
         from held_deliveries where wait_group = ?) as waits`,
      [group],
    ),
  );
  sql.run(
    `update deliveries set next_attempt_at = :dueAt, reason = :reason
     where status = 'pending' and id in (select delivery_id from held_deliveries where wait_group = :group)`,
    { dueAt, reason, group },
  );
  return dueAt;
}

/** Counts a failed attempt; the delivery stays pending. */
export function postpone(sql: Sql, deliveryId: string, reason: string, nextAttemptAt: number): void {
  sql.run(
    `update deliveries set attempts = attempts + 1, reason = :reason, next_attempt_at = :nextAttemptAt
     where id = :deliveryId and status = 'pending'`,
    { deliveryId, reason, nextAttemptAt: whole(nextAttemptAt) },
  );
}

/** Makes a failed or ignored delivery pending again; false when it is in another state or has no body any more. */
export function requeue(sql: Sql, deliveryId: string): boolean {
  const fresh = {
    reason: null,
    attempts: 0,
    nextAttemptAt: null,
    settledAt: null,
    decisions: [],
    variant: null,
  };
  const canRun = "status in ('failed', 'ignored') and body_removed_at is null";
  return DELIVERIES.update(sql, deliveryId, { status: 'pending', ...fresh }, canRun);
}

const REJECTIONS_KEPT = 1_000;
/** Of requests to no webhook, which must not push those of webhooks out. */
const UNROUTED_KEPT = 200;

/** Stores a rejected request and removes the oldest of those that are too many. */
export function reject(sql: Sql, rejection: NewRejection): void {
  DELIVERIES.insert(sql, {
    ...{ ...rejection, status: 'rejected', headers: {}, query: '' },
    ...{ replies: false, attempts: 0, decisions: [], claims: [] },
  });
  const isUnrouted = rejection.webhook === NO_WEBHOOK;
  const alike = `status = 'rejected' and webhook ${isUnrouted ? '=' : '<>'} :none`;
  sql.run(
    `delete from deliveries where ${alike}
       and id <= (select id from deliveries where ${alike} order by id desc limit 1 offset :kept)`,
    { none: NO_WEBHOOK, kept: isUnrouted ? UNROUTED_KEPT : REJECTIONS_KEPT },
  );
}

type FlowWish = Omit<TaskInFlow, 'task' | 'command'>;

/** One wish per flow: tasks of one delivery in one flow share a conversation, new if any of them asks for it. */
function flowsOf(tasks: readonly TaskInFlow[]): readonly FlowWish[] {
  const byFlow = Map.groupBy(tasks, (task) => task.flowId);
  return [...byFlow.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const startNewConversation = [first, ...others].some((task) => task.startNewConversation);
    return [{ ...first, startNewConversation }];
  });
}

function makeTask(
  sql: Sql,
  { task, flowId, externalId, command }: TaskInFlow,
  delivery: SettlingDelivery,
  at: number,
): Task {
  return insertTask(sql, {
    ...{ task, flowId, externalId, command, at },
    ...{ initiatorId: task.id, parentId: null, dependsOn: [], conversationId: null },
    ...{
      deliveryId: delivery.id,
      owner: delivery.owner,
      webhook: delivery.webhook,
      source: delivery.provider,
    },
    trust: delivery.trust ?? 'unverified',
    isSample: delivery.sample === 1,
    actor: actorOf(delivery),
  });
}

/** The task as it is then; null when it was no longer where the step begins. */
function steerTask(sql: Sql, effect: Effect, delivery: SettlingDelivery, at: number): Task | null {
  const actor = actorOf(delivery);
  switch (effect.kind) {
    case 'answer': {
      const { taskId, prompt } = effect;
      return answerTask(sql, { taskId, prompt, trust: delivery.trust ?? 'unverified', actor, at });
    }
    case 'approve':
      return approveTask(sql, { taskId: effect.taskId, actor, at });
    case 'stop':
      return applyChange(sql, effect.change);
    default:
      return null;
  }
}

function actorOf({ provider, sender_name: sender }: SettlingDelivery): string {
  return sender === null ? provider : `${provider}:${sender}`;
}
