import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { prepare } from '../../src/store/local/index.ts';
import { startWriter, type Writer } from '../../src/store/local/writer-client.ts';
import type { NewRejection } from '../../src/store/store.ts';
import { storePath } from './fixtures.ts';

const START = { segment: 0, offset: 0 };
const options = { end: START, failed: () => undefined, damaged: () => undefined, answered: () => undefined };

test('a call that fails is undone alone, the others of its transaction are stored', async () => {
  const { writer, ids } = openedWriter();
  const results = await Promise.allSettled([
    writer.call('reject', rejection('dlv-0')),
    writer.call('reject', rejection('dlv-1')),
    writer.call('reject', rejection('dlv-1')),
    writer.call('reject', rejection('dlv-3')),
  ]);
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(results[2]).toMatchObject({
    reason: { code: 'store_write', message: expect.stringContaining('UNIQUE') },
  });
  expect(ids()).toEqual(['dlv-0', 'dlv-1', 'dlv-3']);
});

test('calls that wait share a transaction: when it fails, all of them reject and nothing is stored', async () => {
  const { writer, path, ids } = openedWriter();
  const db = new DatabaseSync(path);
  onTestFinished(() => db.close());
  // A promise that is checked at the commit, and that the second row breaks.
  db.exec(`create table kept (id text primary key references deliveries (id) deferrable initially deferred);
    create trigger breaks after insert on deliveries when new.id = 'dlv-2' begin insert into kept values ('none'); end`);
  await writer.call('reject', rejection('dlv-0'));
  const batch = await Promise.allSettled(
    ['dlv-1', 'dlv-2', 'dlv-3'].map((id) => writer.call('reject', rejection(id))),
  );
  expect(batch.map((result) => result.status)).toEqual(['rejected', 'rejected', 'rejected']);
  await writer.call('reject', rejection('dlv-4'));
  expect(ids()).toEqual(['dlv-0', 'dlv-4']);
});

test('a call waits while another process holds the db, and is stored when that lets go', async () => {
  const { writer, path, ids } = openedWriter();
  const other = new DatabaseSync(path);
  onTestFinished(() => other.close());
  other.exec('begin immediate');
  let stored = false;
  const write = writer.call('reject', rejection('dlv-1')).then(() => {
    stored = true;
  });
  const started = performance.now();
  while (performance.now() - started < 300) await new Promise(setImmediate);
  expect(stored).toBe(false);
  other.exec('commit');
  await write;
  expect(ids()).toEqual(['dlv-1']);
});

test('when the thread dies, what waits and what comes later is rejected, and close still resolves', async () => {
  const writer = startWriter({ ...options, path: `${storePath()}/no-such-folder/hookctl.db` });
  const stopped = { code: 'store_stopped', fix: expect.stringContaining('Start hookctl again') };
  const waiting = [writer.call('probe'), writer.call('probe')];
  for (const write of waiting) await expect(write).rejects.toMatchObject(stopped);
  await expect(writer.call('probe')).rejects.toMatchObject(stopped);
  await writer.close();
});

interface OpenedWriter {
  readonly writer: Writer;
  readonly path: string;
  readonly ids: () => readonly unknown[];
}

function openedWriter(): OpenedWriter {
  const path = storePath();
  prepare(path);
  const writer = startWriter({ ...options, path });
  onTestFinished(() => writer.close());
  const reader = new DatabaseSync(path, { readOnly: true });
  onTestFinished(() => reader.close());
  const ids = () =>
    reader
      .prepare('select id from deliveries order by id')
      .all()
      .map(({ id }) => id);
  return { writer, path, ids };
}

function rejection(id: string): NewRejection {
  return {
    id,
    webhook: 'github',
    webhookId: null,
    owner: 'operator',
    provider: 'github',
    reason: 'wrong signature',
    senderDeliveryId: null,
    eventType: null,
    size: 0,
    receivedAt: 1,
  };
}
