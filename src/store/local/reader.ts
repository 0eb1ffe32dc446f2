import { existsSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { CompiledQuery } from 'kysely';
import { consumerNamed, newestTransition, newsEvents, queuedEvents, toAgentEvents } from '../agent-events.ts';
import {
  auditedNames,
  auditedRevisions,
  auditOfRevision,
  listAudit,
  toAuditEntry,
  toAuditedRevision,
} from '../audit.ts';
import { listOutgoing, outgoingById, responsesBefore, waitingOutgoing } from './tables/outbox.ts';
import { countPrunable, deliveryAtRank, prunableBodies } from '../retention.ts';
import { selectionReader } from '../selection.ts';
import type { StoreReader } from '../store.ts';
import { type BodyLocation, createBodyReader } from './log/bodies.ts';
import { explained } from './damage.ts';
import { aliasesNamed, aliasesOfFlow } from './tables/flow-aliases.ts';
import { dependentsOf, listConversations, listFlows } from './tables/flows.ts';
import { requireCurrentSchema, schemaVersion } from './migrations/index.ts';
import { countOutgoing } from './tables/outbox-counts.ts';
import {
  agentNames,
  bodyPlace,
  countDeliveries,
  countSettled,
  countTasks,
  deliveryById,
  holderOf,
  listDeliveries,
  listTasks,
  openQuestionOf,
  pendingDeliveries,
  projectableTasks,
  taskById,
} from './tables/queries.ts';
import {
  toConversation,
  toDelivery,
  toFlow,
  toFlowAlias,
  toOutgoing,
  toPendingDelivery,
  toTask,
  toTransition,
  toWebhookCounts,
} from './tables/mapping.ts';
import { runReader } from './run-access.ts';
import { logFolder, logSize } from './log/segments.ts';
import { createRunner, openForReading } from './sqlite.ts';
import { prunableTrees, tasksOfTree } from './tables/task-prune.ts';
import { transitionsOf } from './tables/transitions.ts';

/**
 * Opens the store to look at it, beside a running server or without one. Null when nothing was ever stored there.
 * Throws `schema_version` when the db was written by an older or a newer hookctl, `store_damaged` when it is none.
 */
export function openReader({ path }: { readonly path: string }): StoreReader | null {
  if (!existsSync(path)) return null;
  const db = openForReading(path);
  try {
    if (schemaVersion(db) === 0) {
      db.close();
      return null;
    }
    requireCurrentSchema(db, path);
  } catch (error) {
    if (db.isOpen) db.close();
    throw explained(error, path);
  }
  return readerOf(db, logFolder(path));
}

/** What SQLite takes for no limit. */
const UNLIMITED = -1;

/** The lists whose rows can be counted, each with its query. */
const countable = {
  deliveries: listDeliveries,
  tasks: listTasks,
  flows: listFlows,
  conversations: listConversations,
  outbox: listOutgoing,
  audit: listAudit,
};

function readerOf(db: DatabaseSync, folder: string): StoreReader {
  const run = createRunner(db);
  function rows<Row>({ sql, parameters }: CompiledQuery<Row>): readonly Row[] {
    return run({ sql, parameters: parameters as SQLInputValue[] }) as readonly unknown[] as readonly Row[];
  }
  const readBody = createBodyReader(folder);
  const placeOf = (id: string) => rows(bodyPlace({ id }))[0] ?? null;
  function bodyAt(place: BodyLocation): Uint8Array | null {
    try {
      return readBody(place);
    } catch (error) {
      // Retention may have taken it away between the two looks.
      if (placeOf(place.id)?.body_segment === null) return null;
      throw error;
    }
  }

  return {
    delivery: (id) => rows(deliveryById({ id })).map(toDelivery)[0] ?? null,
    deliveries: (filter = {}) => rows(listDeliveries(filter)).map(toDelivery),
    body(deliveryId) {
      const place = placeOf(deliveryId);
      return place === null ? null : bodyAt(place);
    },
    prunable: (filter, limit) => rows(prunableBodies(filter, limit)),
    countPrunable(filter) {
      const { count = 0, bytes = 0 } = rows(countPrunable(filter))[0] ?? {};
      return { count, bytes: bytes ?? 0 };
    },
    receivedAtRank: (rank) => rows(deliveryAtRank(rank))[0]?.received_at ?? null,
    logBytes: () => logSize(folder),
    task: (id) => rows(taskById({ id })).map(toTask)[0] ?? null,
    tasks: (filter = {}) => rows(listTasks(filter)).map(toTask),
    transitions: (taskId) => rows(transitionsOf(taskId)).map(toTransition),
    dependents: (taskId) => rows(dependentsOf(taskId)).map(toTask),
    flows: (filter = {}) => rows(listFlows(filter)).map(toFlow),
    conversations: (filter = {}) => rows(listConversations(filter)).map(toConversation),
    countsByWebhook: (webhooks) => toWebhookCounts(rows(countDeliveries(webhooks))),
    countsByTaskStatus: () => Object.fromEntries(rows(countTasks()).map((row) => [row.status, row.count])),
    pending: (after, limit) => rows(pendingDeliveries(after, limit)).map(toPendingDelivery),
    aliases: (names) => rows(aliasesNamed(names)).map(toFlowAlias),
    aliasesOf: (flowId) => rows(aliasesOfFlow({ flowId })).map(toFlowAlias),
    outgoing: (id) => rows(outgoingById(id)).map(toOutgoing)[0] ?? null,
    outbox: (filter = {}) => rows(listOutgoing(filter)).map(toOutgoing),
    countsByOutgoingStatus: () =>
      Object.fromEntries(rows(countOutgoing()).map(({ status, count }) => [status, count])),
    waitingOutgoing: (limit) => rows(waitingOutgoing(limit)).map(toOutgoing),
    responsesBefore: (item) => rows(responsesBefore(item))[0]?.count ?? 0,
    holderOf: (key) => rows(holderOf({ key }))[0]?.delivery_id ?? null,
    countSettled: (externalId, filter) => rows(countSettled(externalId, filter))[0]?.count ?? 0,
    openQuestion: (flowId) => rows(openQuestionOf(flowId)).map(toTask)[0] ?? null,
    prunableTrees: (filter, after, limit) => rows(prunableTrees(filter, after, limit)),
    tree: (rootId) => rows(tasksOfTree(rootId)).map(toTask),
    projectable: (finished) => rows(projectableTasks(finished)).map(toTask),
    newestTransition: () => rows(newestTransition())[0]?.id ?? 0,
    isConsumer: (name) => rows(consumerNamed(name)).length > 0,
    agentEvents: (filter) => toAgentEvents(rows(queuedEvents(filter)), rows(newsEvents(filter))),
    audit: (filter = {}) => rows(listAudit(filter)).map(toAuditEntry),
    auditedRevisions: (limit) => rows(auditedRevisions(limit)).map(toAuditedRevision),
    auditOfRevision: (revision, after) => rows(auditOfRevision(revision, after))[0]?.id ?? null,
    count(list, filter = {}) {
      const everything = { ...filter, limit: UNLIMITED };
      const { sql, parameters } = countable[list](everything as never);
      const [row] = run({
        sql: `select count(*) as count from (${sql})`,
        parameters: parameters as SQLInputValue[],
      });
      return Number(row?.count);
    },
    agentNames: () => rows(agentNames()).map(({ agent }) => agent),
    auditedNames: () => rows(auditedNames()).map(({ what }) => what),
    ...runReader(rows),
    ...selectionReader(rows, bodyAt),
    close: () => db.close(),
  };
}
