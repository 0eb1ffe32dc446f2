import { execFile } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { addWebhook } from '../../../src/config/dynamic/edit.ts';
import { lockFile } from '../../../src/store/local/lock.ts';
import { folderWith } from '../support.ts';
import { placeIn } from './support.ts';

const PROCESSES = 5;
const EACH = 4;

test('20 changes by processes that run at once: nothing is lost', async () => {
  const folder = folderWith();
  const { dynamic } = placeIn(folder);
  const names = Array.from({ length: PROCESSES }, (_, index) => `child ${index}`);
  await Promise.all(names.map((name) => runChild(folder, name, EACH)));
  const { webhooks } = await dynamic.read();
  const expected = names.flatMap((name) => Array.from({ length: EACH }, (_, n) => `${name} ${n + 1}`));
  expect(webhooks.map(({ name }) => name).toSorted()).toEqual(expected.toSorted());
  expect(new Set(webhooks.map(({ webhook_id }) => webhook_id)).size).toBe(PROCESSES * EACH);
});

test('changes of one process that are asked for at once are all made', async () => {
  const { dynamic } = placeIn(folderWith());
  const names = Array.from({ length: 10 }, (_, index) => `at once ${index}`);
  await Promise.all(names.map((name) => dynamic.edit(addWebhook({ provider: 'github', name }))));
  expect((await dynamic.read()).webhooks).toHaveLength(names.length);
});

test('the db is its user’s alone, and what a killed writer left is removed', async () => {
  const { dynamic, dataFolder, file } = placeIn(folderWith());
  writeFileSync(join(dataFolder, '.webhooks.json.0123456789ab.tmp'), 'half of a db with a secret');
  const { revision } = await dynamic.edit(addWebhook({ provider: 'github', name: 'a' }));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(dataFolder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  expect(await dynamic.revision()).toBe(revision);
});

test('a change waits for the lock of another process', async () => {
  const { dynamic, file } = placeIn(folderWith());
  const lock = await lockFile(`${file}.lock`, 0);
  let done = false;
  const change = dynamic.edit(addWebhook({ provider: 'github', name: 'a' })).then(() => {
    done = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(done).toBe(false);
  lock?.release();
  await change;
});

function runChild(folder: string, name: string, count: number) {
  const script = join(import.meta.dirname, 'add-in-child.ts');
  return promisify(execFile)(process.execPath, [script, folder, name, String(count)]);
}
