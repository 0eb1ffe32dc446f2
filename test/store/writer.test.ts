import { DatabaseSync } from 'node:sqlite';
import { CompiledQuery } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { prepare } from '../../src/store/local/index.ts';
import { startWriter, type Writer } from '../../src/store/local/writer-client.ts';
import { storePath } from './fixtures.ts';

test('a job that fails is undone alone, the others of its batch are stored', async () => {
  const { writer } = await writerWithTables();
  const results = await Promise.allSettled([
    writer.write([insert(0)]),
    writer.write([insert(1)]),
    writer.write([insert(2), insert(1)]),
    writer.write([insert(3)]),
  ]);
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(results[2]).toMatchObject({
    reason: { code: 'store_write', message: expect.stringContaining('UNIQUE') },
  });
  expect(await writer.write([CompiledQuery.raw('select n from numbers order by n')])).toEqual([
    { n: 0 },
    { n: 1 },
    { n: 3 },
  ]);
});

test('jobs that wait share a commit: when it fails, all of them reject and nothing is stored', async () => {
  const { writer } = await writerWithTables();
  const orphan = CompiledQuery.raw('insert into children (parent) values (42)');
  await writer.write([insert(0)]);
  const batch = await Promise.allSettled([
    writer.write([insert(1)]),
    writer.write([orphan]),
    writer.write([insert(2)]),
  ]);
  expect(batch.map((result) => result.status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(await writer.write([insert(4), CompiledQuery.raw('select n from numbers order by n')])).toEqual([
    { n: 0 },
    { n: 4 },
  ]);
});

test('a write waits while another process holds the db, and is stored when that lets go', async () => {
  const { writer, path } = await writerWithTables();
  const other = new DatabaseSync(path);
  onTestFinished(() => other.close());
  other.exec('begin immediate');
  let stored = false;
  const write = writer.write([insert(1)]).then(() => {
    stored = true;
  });
  const started = performance.now();
  while (performance.now() - started < 300) await new Promise(setImmediate);
  expect(stored).toBe(false);
  other.exec('commit');
  await write;
  expect(other.prepare('select n from numbers').all()).toHaveLength(1);
});

test('when the thread dies, what waits and what comes later is rejected, and close still resolves', async () => {
  const writer = startWriter({ path: `${storePath()}/no-such-folder/hookctl.db` });
  const stopped = { code: 'store_stopped', fix: expect.stringContaining('Start hookctl again') };
  const waiting = [writer.write([insert(1)]), writer.write([insert(2)])];
  for (const write of waiting) await expect(write).rejects.toMatchObject(stopped);
  await expect(writer.write([insert(3)])).rejects.toMatchObject(stopped);
  await writer.close();
});

async function writerWithTables(): Promise<{ readonly writer: Writer; readonly path: string }> {
  const path = storePath();
  prepare(path);
  const writer = startWriter({ path });
  onTestFinished(() => writer.close());
  await writer.write([
    CompiledQuery.raw('create table numbers (n integer primary key)'),
    CompiledQuery.raw(
      'create table children (parent integer references numbers (n) deferrable initially deferred)',
    ),
  ]);
  return { writer, path };
}

function insert(n: number): CompiledQuery<unknown> {
  return CompiledQuery.raw('insert into numbers (n) values (?)', [n]);
}
