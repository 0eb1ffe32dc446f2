import {
  copyFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openReader, openStore } from '../../src/store/local/index.ts';
import { cutTail, indexLog } from '../../src/store/local/log/index-log.ts';
import { readRecord, recordOf, rowOf } from '../../src/store/local/log/record.ts';
import { openSql } from '../../src/store/local/sql.ts';
import { openForWriting } from '../../src/store/local/sqlite.ts';
import { freshStore, NOW, newDelivery, outcome, storePath } from './fixtures.ts';

const segmentOf = (path: string) => join(dirname(path), 'bodies/00000001.log');

/** A store with these deliveries that a crash ended: the copy of its folder is taken while it is open. */
async function crashed(ids: readonly string[], atEnd: (path: string) => void = () => undefined) {
  const path = storePath();
  const store = await openStore({ path });
  for (const id of ids) await store.accept(newDelivery(id));
  await store.indexed();
  const copy = mkdtempSync(join(tmpdir(), 'hookctl-crashed-'));
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
  cpSync(dirname(path), copy, { recursive: true });
  await store.close();
  const copied = join(copy, 'hookctl.db');
  atEnd(copied);
  return copied;
}

async function statuses(path: string, ids: readonly string[]) {
  const store = await openStore({ path });
  try {
    return ids.map((id) => [store.delivery(id)?.status, Buffer.from(store.body(id) ?? []).toString()]);
  } finally {
    await store.close();
  }
}

/** The record of a delivery, as it is in the log. */
function recordBytes(id: string): Buffer {
  return Buffer.concat(recordOf(rowOf(newDelivery(id)), Buffer.from(`{"id":"${id}"}`)));
}

const whole = (id: string) => ['pending', `{"id":"${id}"}`];

test('a record without a row, as a crash before the commit leaves it, becomes a row, once', async () => {
  const path = await crashed(['dlv-1']);
  writeFileSync(segmentOf(path), recordBytes('dlv-2'), { flag: 'a' });
  expect(await statuses(path, ['dlv-1', 'dlv-2'])).toEqual([whole('dlv-1'), whole('dlv-2')]);
  const reader = openReader({ path });
  expect(reader?.deliveries().map(({ id }) => id)).toEqual(['dlv-2', 'dlv-1']);
  reader?.close();
});

test('rows that were lost with the write-ahead log come back from the log of bodies, duplicates as duplicates', async () => {
  const path = storePath();
  const store = await openStore({ path });
  await store.accept(newDelivery('dlv-1', { dedupeKeys: ['id:same'] }));
  await store.accept(newDelivery('dlv-2', { dedupeKeys: ['id:same'] }));
  const copy = storePath();
  copyFileSync(path, copy);
  cpSync(join(dirname(path), 'bodies'), join(dirname(copy), 'bodies'), { recursive: true });
  await store.close();

  const again = await openStore({ path: copy });
  onTestFinished(() => again.close());
  expect(again.delivery('dlv-1')).toMatchObject({ status: 'pending', duplicateOf: null });
  expect(again.delivery('dlv-2')).toMatchObject({ status: 'duplicate', duplicateOf: 'dlv-1' });
  expect((await again.accept(newDelivery('dlv-3', { dedupeKeys: ['id:same'] }))).duplicateOf).toBe('dlv-1');
});

test('when the whole db is lost nothing runs a second time unasked', async () => {
  const path = await crashed(['dlv-1']);
  for (const name of readdirSync(dirname(path)))
    if (name.startsWith('hookctl.db')) rmSync(join(dirname(path), name));
  const store = await freshStore(path);
  expect(store.delivery('dlv-1')).toMatchObject({
    status: 'failed',
    reason: expect.stringContaining('db was lost'),
  });
  expect(store.body('dlv-1')).not.toBeNull();
});

test('a record that is cut off at any of its bytes is cut away, and the records before it stay', async () => {
  const path = await crashed(['dlv-1']);
  const before = readFileSync(segmentOf(path));
  const record = recordBytes('dlv-2');
  const wrong: number[] = [];
  const db = openForWriting(path);
  onTestFinished(() => db.close());
  const sql = openSql(db);
  const folder = dirname(segmentOf(path));
  for (let length = 1; length < record.length; length += 1) {
    writeFileSync(segmentOf(path), Buffer.concat([before, record.subarray(0, length)]));
    cutTail(folder, indexLog(sql, folder, { to: null }).end);
    if (!readFileSync(segmentOf(path)).equals(before)) wrong.push(length);
  }
  expect(wrong).toEqual([]);
  expect(sql.all('select id from deliveries')).toHaveLength(1);
});

test('a flipped byte anywhere in a record is noticed: never wrong bytes, and the message names the place', async () => {
  const record = recordBytes('dlv-1');
  const unnoticed = Array.from(record.keys()).filter((at) => {
    const bent = Buffer.from(record);
    bent[at] = (bent[at] ?? 0) ^ 1;
    return readRecord(bent, 0) !== null;
  });
  expect(unnoticed).toEqual([]);

  const path = await crashed(['dlv-1', 'dlv-2'], (copied) => {
    const bytes = readFileSync(segmentOf(copied));
    const at = bytes.indexOf('{"id":"dlv-1"}');
    bytes[at + 3] = 0;
    writeFileSync(segmentOf(copied), bytes);
  });
  const reader = openReader({ path });
  onTestFinished(() => reader?.close());
  const damaged = {
    code: 'damaged_body',
    message: expect.stringMatching(/dlv-1 .*byte 0 of .*00000001\.log is damaged/),
  };
  expect(() => reader?.body('dlv-1')).toThrow(expect.objectContaining(damaged));
  expect(Buffer.from(reader?.body('dlv-2') ?? []).toString()).toBe('{"id":"dlv-2"}');
});

test('a segment that lost its end, or is gone, is said so, and new deliveries are stored all the same', async () => {
  const path = await crashed(['dlv-1', 'dlv-2'], (copied) => truncateSync(segmentOf(copied), 40));
  const store = await freshStore(path);
  await store.accept(newDelivery('dlv-3'));
  expect(() => store.body('dlv-1')).toThrow(expect.objectContaining({ code: 'damaged_body' }));
  expect(Buffer.from(store.body('dlv-3') ?? []).toString()).toBe('{"id":"dlv-3"}');
  rmSync(segmentOf(path));
  expect(() => store.body('dlv-2')).toThrow(expect.objectContaining({ code: 'missing_body' }));
});

test('a segment in which nothing is needed leaves the disk, and its number is not given again', async () => {
  const path = storePath();
  const store = await openStore({ path });
  await store.accept(newDelivery('dlv-1'));
  await store.recordOutcome(outcome('dlv-1'));
  await store.removeBodies(['dlv-1'], NOW);
  expect(await store.sweepLog()).toMatchObject({ segments: 1, bytes: expect.any(Number) });
  await store.accept(newDelivery('dlv-2'));
  expect(readdirSync(join(dirname(path), 'bodies'))).toEqual(['00000002.log']);
  await store.close();
  expect(await statuses(path, ['dlv-2'])).toEqual([whole('dlv-2')]);
});
