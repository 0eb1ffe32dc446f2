import { existsSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { CompiledQuery } from 'kysely';
import type { RunReader, RunWriter } from '../runs.ts';
import { effectsOf, type Store, type StoreReader } from '../store.ts';
import { type BodyLocation, createBodyReader } from './log/body-log.ts';
import { recoverRows, recoveryProblems } from './log/recovery.ts';
import { logFolder, logSize } from './log/segments.ts';
import { type Redact, redacting } from './redact-writes.ts';
import { createRunner, damageOf, explained, openForReading, openForWriting } from './sqlite.ts';
import {
  ackEvent,
  consumerNamed,
  joinEvents,
  newestTransition,
  newsEvents,
  queuedEvents,
  toAgentEvents,
} from './tables/agent-events.ts';
import { auditedNames, insertAudit, listAudit, toAuditEntry } from './tables/audit.ts';
import {
  bodyLocation,
  countDeliveries,
  countSettled,
  deliveryById,
  holderOf,
  listDeliveries,
  pendingDeliveries,
  recordRejection,
  requeueDelivery,
  rowOf,
  toDelivery,
  toPendingDelivery,
  toWebhookCounts,
} from './tables/deliveries.ts';
import {
  aliasesNamed,
  aliasesOfFlow,
  listConversations,
  listFlows,
  toConversation,
  toFlow,
  toFlowAlias,
} from './tables/flows.ts';
import {
  beginOutgoing,
  countOutgoing,
  dropOutgoing,
  insertComment,
  listOutgoing,
  noteOutgoing,
  outgoingById,
  responsesBefore,
  retryOutgoing,
  toOutgoing,
  waitingOutgoing,
} from './tables/outbox.ts';
import { postponeDelivery, recordOutcome } from './tables/outcome.ts';
import {
  countPrunable,
  deliveryAtRank,
  forgetDeliveries,
  prunableBodies,
  prunableTrees,
  pruneTrees,
  removeBodies,
  selectionReader,
  tasksOfTree,
} from './tables/retention.ts';
import {
  backlogs,
  endRun,
  forgetWait,
  giveNotice,
  lastSession,
  noteAgents,
  noteRun,
  noteWait,
  openRuns,
  queuedTasks,
  releaseBacklog,
  runById,
  runsOfTask,
  spentSince,
  startRun,
  toQueuedTask,
  toRun,
} from './tables/runs.ts';
import {
  agentNames,
  countTasks,
  createTask,
  dependentsOf,
  listTasks,
  noteTaskSync,
  openQuestionOf,
  projectableTasks,
  taskById,
  toTask,
} from './tables/tasks.ts';
import { changeTask, noteTask, toTransition, transitionsOf } from './tables/transitions.ts';
import { migrate, requireCurrentSchema, rewriteSchemaVersion, schemaVersion } from './tables/versions.ts';
import { startWriter, type Writer } from './writer-client.ts';

function runReader(rows: <Row>(query: CompiledQuery<Row>) => readonly Row[]): RunReader {
  return {
    run: (id) => rows(runById(id)).map(toRun)[0] ?? null,
    runsOfTask: (taskId) => rows(runsOfTask(taskId)).map(toRun),
    openRuns: () => rows(openRuns()).map(toRun),
    queuedTasks: (agents, limit) => rows(queuedTasks(agents, limit)).map(toQueuedTask),
    backlogs: () => rows(backlogs()),
    lastSession: (conversationId, key) => rows(lastSession(conversationId, key))[0]?.session_id ?? null,
    spent: (since, flowId) => rows(spentSince(since, flowId))[0] ?? { runs: 0, endedUsd: 0, runningUsd: 0 },
  };
}

function runWriter(writer: Writer): RunWriter {
  return {
    async noteAgents(names, at) {
      await writer.write(noteAgents(names, at));
    },
    releaseBacklog: async (agent) => (await writer.write([releaseBacklog(agent)])).length > 0,
    async noteWaiting(waits, gone) {
      await writer.write([...waits.map(noteWait), ...gone.map(forgetWait)]);
    },
    async startRun(start) {
      const [task] = await writer.write(startRun(start));
      return task === undefined ? null : toTask(task);
    },
    async noteRun(id, note) {
      await writer.write([noteRun(id, note)]);
    },
    async endRun(ending) {
      const [task] = await writer.write(endRun(ending));
      return task === undefined ? null : toTask(task);
    },
    async giveNotice(notice) {
      return (await writer.write(giveNotice(notice))).length > 0;
    },
  };
}

/**
 * Opens the store to read, beside a running server or without one. Null when nothing was ever stored there.
 * Throws `schema_version` when the db was written by an older or a newer hookctl, `store_damaged` when it is none.
 */
export function openReader({
  path,
  failed,
}: {
  readonly path: string;
  /** Called with each error of SQLite, beside the one that is thrown. */
  readonly failed?: (reason: string) => void;
}): StoreReader | null {
  if (!existsSync(path)) return null;
  const db = openForReading(path);
  try {
    if (schemaVersion(db, path) === 0) {
      db.close();
      return null;
    }
    requireCurrentSchema(db, path);
  } catch (error) {
    if (db.isOpen) db.close();
    throw explained(error, path);
  }
  return readerOf(db, logFolder(path), failed);
}

/** SQLite's value for no limit. */
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

function readerOf(db: DatabaseSync, folder: string, failed?: (reason: string) => void): StoreReader {
  const run = createRunner(db, failed);
  function rows<Row>({ sql, parameters }: CompiledQuery<Row>): readonly Row[] {
    return run({ sql, parameters: parameters as SQLInputValue[] }) as readonly unknown[] as readonly Row[];
  }
  const readBody = createBodyReader(folder);
  const locationOf = (id: string) => rows(bodyLocation({ id }))[0] ?? null;
  function bodyAt(location: BodyLocation): Uint8Array | null {
    try {
      return readBody(location);
    } catch (error) {
      // Retention may have taken it away between the two looks.
      if (locationOf(location.id)?.body_segment === null) return null;
      throw error;
    }
  }

  return {
    delivery: (id) => rows(deliveryById({ id })).map(toDelivery)[0] ?? null,
    deliveries: (filter = {}) => rows(listDeliveries(filter)).map(toDelivery),
    body(deliveryId) {
      const location = locationOf(deliveryId);
      return location === null ? null : bodyAt(location);
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

/**
 * Opens the store to write, made and migrated if need be. The caller holds the folder's lock; the folder exists.
 * Throws `schema_version` when a newer hookctl wrote it, `store_not_durable` where the disk cannot keep a promise.
 */
export async function openStore({ path, redact = (text) => text }: StoreOptions): Promise<Store> {
  const problems = [...prepare(path)];
  // What cannot be read or written for this is tried again later: the damage is told at once.
  const failed = (reason: string) => {
    const text = damageOf(reason, path);
    if (text !== null && !problems.includes(text)) problems.push(text);
  };
  const reader = openReader({ path, failed });
  if (reader === null) throw new Error(`${path} vanished while it was opened`);
  const writer = startWriter({ path, failed });
  return {
    ...reader,
    ...redacting(writesOf(writer), redact),
    problems,
    async close() {
      // The writer closes last: only a connection that may write can fold the log into the db.
      reader.close();
      await writer.close();
    },
  };
}

interface StoreOptions {
  readonly path: string;
  /** Takes secrets out of words before they become rows; default: none are known. */
  readonly redact?: Redact;
}

/**
 * Makes the db, or brings it to this code's schema, and to what the log of bodies holds. The caller holds the folder's
 * lock. Returns what was lost, in words.
 */
export function prepare(path: string): readonly string[] {
  const db = openForWriting(path);
  try {
    const isNew = schemaVersion(db, path) === 0;
    migrate(db, path);
    return recoveryProblems(recoverRows(db, path, isNew), path, isNew);
  } finally {
    db.close();
  }
}

/** All writes. */
function writesOf(writer: Writer): Omit<Store, keyof StoreReader | 'problems'> {
  return {
    async accept(delivery) {
      const duplicateOf = await writer.accept(rowOf(delivery), delivery.body);
      return { status: duplicateOf === null ? delivery.status : 'duplicate', duplicateOf };
    },
    async reject(rejection) {
      await writer.write(recordRejection(rejection));
    },
    async recordOutcome(outcome) {
      const { deliveryId, status, effects } = outcome;
      const acted = status === 'processed' || effectsOf(effects, 'task').length > 0;
      const more = effectsOf(effects, 'claim').map(({ key }) => key);
      const tasks = await writer.writeOutcome(recordOutcome(outcome), { deliveryId, acted, more });
      return tasks.map(toTask);
    },
    async postpone(deliveryId, reason, nextAttemptAt) {
      await writer.write([postponeDelivery(deliveryId, reason, nextAttemptAt)]);
    },
    async requeue(deliveryId) {
      return writer.reopen(deliveryId, requeueDelivery(deliveryId));
    },
    async createTask(creation) {
      const [task] = await writer.write(createTask(creation));
      if (task !== undefined) return toTask(task);
      if (typeof creation.mostBelow === 'number') return null;
      throw new Error(`task ${creation.task.id} was not stored`);
    },
    async changeTask(change) {
      const [task] = await writer.write(changeTask(change));
      return task === undefined ? null : toTask(task);
    },
    async pruneTrees(trees, filter, at) {
      return (await writer.write(pruneTrees(trees, filter, at))).map(({ id }) => id);
    },
    async noteTask(note) {
      return (await writer.write([noteTask(note)])).length > 0;
    },
    async addComment(item, deliveryId, now) {
      return (await writer.write([insertComment(item, deliveryId, now)])).length > 0;
    },
    async joinEvents(consumer, sinceTask, at) {
      await writer.write([joinEvents(consumer, sinceTask, at)]);
    },
    async ackEvent(consumer, eventId) {
      return (await writer.write([ackEvent(consumer, eventId)])).length > 0;
    },
    async beginOutgoing(id) {
      await writer.write([beginOutgoing(id)]);
    },
    async noteOutgoing(id, note) {
      await writer.write([noteOutgoing(id, note)]);
    },
    async retryOutgoing(id, now) {
      return (await writer.write([retryOutgoing(id, now)])).length > 0;
    },
    async dropOutgoing(id, now) {
      return (await writer.write([dropOutgoing(id, now)])).length > 0;
    },
    async recordAudit(entries) {
      await writer.write(entries.map(insertAudit));
    },
    async probe() {
      await writer.write([rewriteSchemaVersion()]);
    },
    removeBodies: async (ids, at) => (await writer.write(removeBodies(ids, at))).length,
    forgetDeliveries: async (before, limit) => (await writer.write([forgetDeliveries(before, limit)])).length,
    sweepLog: writer.sweep,
    async noteSync(notes) {
      if (notes.length > 0) await writer.write(notes.map(noteTaskSync));
    },
    ...runWriter(writer),
  };
}
