import { join } from 'node:path';
import { acceptDelivery, recordRejection, requeueDelivery } from './acceptance.ts';
import { migrate } from './migrations/index.ts';
import { createTask } from './new-task.ts';
import { beginOutgoing, dropOutgoing, noteOutgoing, retryOutgoing } from './outbox.ts';
import { noteTaskSync } from './queries.ts';
import { openReader } from './reader.ts';
import { toTask } from './rows.ts';
import { postponeDelivery, settleDelivery } from './settlement.ts';
import { openForWriting } from './sqlite.ts';
import type { Store, StoreReader } from './store.ts';
import { changeTask, noteTask } from './transitions.ts';
import { startWriter, type Writer } from './writer-client.ts';

export { openReader } from './reader.ts';

/** Where the store of a data folder lies. */
export function databasePath(dataFolder: string): string {
  return join(dataFolder, 'hookctl.db');
}

/**
 * Opens the store to write, made and migrated if need be. The caller holds the folder's lock; the folder exists.
 * Throws `schema_version` when a newer hookctl wrote it, `store_not_durable` where the disk cannot keep a promise.
 */
export async function openStore({ path }: { readonly path: string }): Promise<Store> {
  prepare(path);
  const reader = openReader({ path });
  if (reader === null) throw new Error(`${path} vanished while it was opened`);
  return storeOf(reader, startWriter({ path }));
}

function prepare(path: string): void {
  const db = openForWriting(path);
  try {
    migrate(db, path);
  } finally {
    db.close();
  }
}

function storeOf(reader: StoreReader, writer: Writer): Store {
  return {
    ...reader,
    async accept(delivery) {
      const [first] = await writer.write(acceptDelivery(delivery));
      return first === undefined
        ? { status: delivery.status, duplicateOf: null }
        : { status: 'duplicate', duplicateOf: first.duplicate_of };
    },
    async reject(rejection) {
      await writer.write(recordRejection(rejection));
    },
    async settle(settlement) {
      const tasks = await writer.write(settleDelivery(settlement));
      return tasks.map(toTask);
    },
    async postpone(deliveryId, reason, nextAttemptAt) {
      await writer.write([postponeDelivery(deliveryId, reason, nextAttemptAt)]);
    },
    async requeue(deliveryId) {
      const reopened = await writer.write(requeueDelivery(deliveryId));
      return reopened.length > 0;
    },
    async createTask(creation) {
      const [task] = await writer.write(createTask(creation));
      if (task === undefined) throw new Error(`task ${creation.task.id} was not stored`);
      return toTask(task);
    },
    async changeTask(change) {
      const [task] = await writer.write(changeTask(change));
      return task === undefined ? null : toTask(task);
    },
    async noteTask(note) {
      return (await writer.write([noteTask(note)])).length > 0;
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
    async noteSync(notes) {
      await writer.write(notes.map(noteTaskSync));
    },
    async close() {
      // The writer is the last to leave: only a connection that may write can fold the log into the db.
      reader.close();
      await writer.close();
    },
  };
}
