import { ackEvent, joinEvents } from '../agent-events.ts';
import { insertAudit } from '../audit.ts';
import { beginOutgoing, dropOutgoing, insertComment, noteOutgoing, retryOutgoing } from './tables/outbox.ts';
import { forgetDeliveries, removeBodies } from '../retention.ts';
import type { Store, StoreReader } from '../store.ts';
import { recordRejection, requeueDelivery, rowOf } from './tables/acceptance.ts';
import { migrate, schemaVersion } from './migrations/index.ts';
import { createTask } from './tables/new-task.ts';
import { rewriteSchemaVersion } from './probe.ts';
import { noteTaskSync } from './tables/queries.ts';
import { openReader } from './reader.ts';
import { recoverRows, recoveryProblems } from './log/recovery.ts';
import { toTask } from './tables/mapping.ts';
import { runWriter } from './run-access.ts';
import { postponeDelivery, recordOutcome } from './tables/outcome.ts';
import { openForWriting } from './sqlite.ts';
import { pruneTrees } from './tables/task-prune.ts';
import { changeTask, noteTask } from './tables/transitions.ts';
import { type Redact, redacting } from './words.ts';
import { startWriter, type Writer } from './writer-client.ts';

export { databasePath } from './place.ts';
export { openReader } from './reader.ts';

/**
 * Opens the store to write, made and migrated if need be. The caller holds the folder's lock; the folder exists.
 * Throws `schema_version` when a newer hookctl wrote it, `store_not_durable` where the disk cannot keep a promise.
 */
export async function openStore({ path, redact = (text) => text }: StoreOptions): Promise<Store> {
  const problems = prepare(path);
  const reader = openReader({ path });
  if (reader === null) throw new Error(`${path} vanished while it was opened`);
  const writer = startWriter({ path });
  return {
    ...reader,
    ...redacting(writesOf(writer), redact),
    problems,
    async close() {
      // The writer is the last to leave: only a connection that may write can fold the log into the db.
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
    const isNew = schemaVersion(db) === 0;
    migrate(db, path);
    return recoveryProblems(recoverRows(db, path, isNew), path, isNew);
  } finally {
    db.close();
  }
}

/** Everything that writes. */
function writesOf(writer: Writer): Omit<Store, keyof StoreReader | 'problems'> {
  return {
    async accept(delivery) {
      const duplicateOf = await writer.accept(rowOf(delivery), delivery.body);
      return { status: duplicateOf === null ? delivery.status : 'duplicate', duplicateOf };
    },
    async reject(rejection) {
      await writer.write(recordRejection(rejection));
    },
    async settle(settlement) {
      const { deliveryId, status, tasks: made, said = [] } = settlement;
      const claims = { deliveryId, acted: status === 'processed' || made.length > 0, more: said };
      const tasks = await writer.settle(recordOutcome(settlement), claims);
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
