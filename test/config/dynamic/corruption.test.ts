import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addWebhook } from '../../../src/config/dynamic/edit.ts';
import { formatDiagnostic } from '../../../src/errors.ts';
import { folderWith } from '../support.ts';
import { type Corruption, corruptionsOf } from './corruptions.ts';
import { dbText, type Place, placeIn, problemsOf, record, refusal } from './support.ts';

const CONDITION = { id: 'cmd-2', trigger: 'issues.*', conditions: { 'issue.state': 'open' } };
const GOOD = Buffer.from(
  dbText([record(1, { command_prefix: '@bot' }), record(2, { commands: [CONDITION] }), record(3)]),
);
const ADD = addWebhook({ provider: 'github', name: 'one more' });

test('at least 60 ways to break the file: never overwritten, told with file and position, served from the last good copy', async () => {
  const place = placeIn(folderWith());
  const broken = await invalid(place, corruptionsOf(GOOD));
  expect(broken.length).toBeGreaterThanOrEqual(60);
  for (const { name, bytes } of broken) {
    writeFileSync(place.file, bytes);
    const problems = await problemsOf(place.dynamic.edit(ADD));
    expect(readFileSync(place.file), name).toEqual(bytes);
    expect(problems[0], name).toMatchObject({ file: place.file, line: expect.any(Number) });
    expect(problems.at(-1)?.fix, name).toContain('hookctl webhook restore');

    const { snapshot, notices } = await place.configuration();
    expect(snapshot.byName.has('Webhook 2'), name).toBe(true);
    expect(notices[0], name).toMatch(/webhooks\.json:\d+.*last good copy is in force/s);
    expect(readFileSync(place.file), name).toEqual(bytes);
  }
});

test('a folder in its place is named, left alone, and moved aside by restore', async () => {
  const place = placeIn(folderWith());
  await makeGood(place);
  rmSync(place.file);
  mkdirSync(place.file);
  writeFileSync(join(place.file, 'precious'), '');
  const [problem] = await problemsOf(place.dynamic.edit(ADD));
  expect(problem).toMatchObject({ file: place.file, message: 'is a folder' });
  expect(await place.dynamic.restore()).toMatchObject({
    webhooks: 3,
    kept: expect.stringContaining('.corrupt-'),
  });
  expect(readFileSync(place.file)).toEqual(GOOD);
  const [kept = ''] = readdirSync(place.dataFolder).filter((name) => name.includes('.corrupt-'));
  expect(readdirSync(join(place.dataFolder, kept))).toEqual(['precious']);
});

test('a file that is gone is not taken for an empty one', async () => {
  const place = placeIn(folderWith());
  await makeGood(place);
  rmSync(place.file);
  const [problem] = await problemsOf(place.dynamic.edit(ADD));
  expect(problem?.message).toBe('the file is gone, although it held 3 webhooks');
  expect((await place.configuration()).snapshot.byName.has('Webhook 1')).toBe(true);
  expect(await place.dynamic.restore()).toMatchObject({ webhooks: 3, kept: null });
  await place.dynamic.edit(ADD);
  expect((await place.dynamic.read()).webhooks).toHaveLength(4);
});

test('without a good copy a broken file stops the start, with exit status 3', async () => {
  const place = placeIn(folderWith());
  writeFileSync(place.file, GOOD.subarray(0, 200));
  const error = await refusal(place.configuration());
  expect(error).toMatchObject({ code: 'config_invalid', exitCode: 3 });
  expect(error.message).toMatch(/webhooks\.json:\d+:\d+ is not valid JSON/);
  expect(await refusal(place.dynamic.restore())).toMatchObject({ code: 'nothing_to_restore' });
});

test('a file in order is not replaced by an older copy', async () => {
  const place = placeIn(folderWith());
  await makeGood(place);
  writeFileSync(place.file, dbText([record(9)]));
  expect(await refusal(place.dynamic.restore())).toMatchObject({ code: 'nothing_to_restore' });
  expect((await place.dynamic.read()).webhooks).toMatchObject([{ name: 'Webhook 9' }]);
});

test.each([
  [
    '{"schema_version": 7, "webhooks": [], "more": 1}',
    ':1:20 schema_version: the file has schema version 7, this hookctl reads version 1',
  ],
  ['{\n  "schema_version": 1,\n  "webhooks": [],\n  "webhoks": []\n}', ':4:3 webhoks: unknown field'],
  [
    '{\n  "schema_version": 1\n  "webhooks": []\n}',
    ":3:3 is not valid JSON: Expected ',' or '}' after property value",
  ],
  ['{"schema_version": 1, "webhooks": [', ':1:36 is not valid JSON: Unexpected end of JSON input'],
  [
    '{"schema_version": 1, "webhooks": [], "webhooks": []}',
    ':1:39 is not valid JSON: "webhooks" is already set in this object',
  ],
  ['\n\n{"a": "b\nc"}', ':3:9 is not valid JSON: Bad control character in string literal'],
  ['{"a": "\\x"}', ':1:9 is not valid JSON: Bad escaped character'],
  ['{"a": [1, nope]}', ':1:12 is not valid JSON: Unexpected token'],
  [`${'['.repeat(65)}${']'.repeat(65)}`, ':1:65 is not valid JSON: nested deeper than 64 levels'],
])('%j is refused at its position', async (text, message) => {
  const place = placeIn(folderWith());
  writeFileSync(place.file, text);
  const [problem] = await problemsOf(place.dynamic.read());
  if (problem === undefined) throw new Error('expected a problem');
  expect(formatDiagnostic(problem)).toContain(place.file + message);
});

async function makeGood(place: Place): Promise<void> {
  writeFileSync(place.file, GOOD);
  await place.configuration();
}

/** Those after which the file does not validate; the last good copy is there afterwards. */
async function invalid(place: Place, corruptions: readonly Corruption[]): Promise<readonly Corruption[]> {
  const found: Corruption[] = [];
  for (const corruption of corruptions) {
    writeFileSync(place.file, corruption.bytes);
    const works = await place.dynamic.read().then(
      () => true,
      () => false,
    );
    if (!works) found.push(corruption);
  }
  await makeGood(place);
  return found;
}
