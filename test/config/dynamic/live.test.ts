import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { addWebhook, removeWebhook, setEnabled, updateWebhook } from '../../../src/config/dynamic/edit.ts';
import { eventually } from '../../support/eventually.ts';
import { folderWith } from '../support.ts';
import { liveIn } from './live-support.ts';
import { overwriteSlowly, SAVE_PATTERNS } from './save-patterns.ts';
import { dbText, placeIn, record } from './support.ts';

test('changes are in force soon after they are written, and each is told by name', async () => {
  const place = placeIn(folderWith());
  const live = await liveIn(place);
  const steps = [
    [addWebhook({ provider: 'github', name: 'a' }), 'added'],
    [updateWebhook('a', { command_prefix: '@bot' }), 'changed'],
    [setEnabled('a', false), 'disabled'],
    [setEnabled('a', true), 'enabled'],
    [removeWebhook('a'), 'removed'],
  ] as const;
  for (const [change, list] of steps) {
    const { revision } = await place.dynamic.edit<unknown>(change);
    await eventually(list, () => live.revision() === revision);
    const told = live.changes.at(-1);
    expect(told).toMatchObject({ kind: 'applied', revision, [list]: ['a'] });
  }
  expect(live.changes).toHaveLength(steps.length);
  expect(live.current().webhooks.map(({ name }) => name)).not.toContain('a');
});

test('a reload that was asked for ends when the change is in force, and the former snapshot stays as it was', async () => {
  const place = placeIn(folderWith());
  const live = await liveIn(place);
  const before = live.current();
  const { result } = await place.dynamic.edit(addWebhook({ provider: 'github', name: 'a' }));
  await live.reload();
  expect(live.current().byEndpoint.get(result.webhook.endpoint)).toMatchObject({ name: 'a' });
  expect(before.byName.has('a')).toBe(false);
  expect([before, live.current(), live.current().byName.get('a')].every(Object.isFrozen)).toBe(true);
  expect(live.records()).toEqual([result.webhook]);
});

test.each(Object.entries(SAVE_PATTERNS))('a file that is saved by %s is taken up whole', async (_, save) => {
  const place = placeIn(folderWith());
  writeFileSync(place.file, dbText([record(1)]));
  const live = await liveIn(place);
  await save(place.file, dbText([record(2), record(3)]));
  await eventually('the new state', () => live.current().byName.has('Webhook 3'), 2_000);
  expect(live.changes.filter(({ kind }) => kind === 'applied')).toMatchObject([
    { added: ['Webhook 2', 'Webhook 3'], removed: ['Webhook 1'] },
  ]);
  expect(live.problems()).toEqual([]);
});

test('a file that is written over slowly never shows as half old and half new, even where that would validate', async () => {
  const place = placeIn(folderWith());
  const withTemplate = (letter: string) =>
    dbText([record(1, { commands: [{ id: 'cmd-1', trigger: '*', template: letter.repeat(400) }] })]);
  writeFileSync(place.file, withTemplate('a'));
  const live = await liveIn(place);
  const template = () => live.current().byName.get('Webhook 1')?.commands[0]?.template.source ?? '';
  for (const letter of ['b', 'c', 'd', 'e', 'f']) {
    const told = live.changes.length;
    const pause = await overwriteSlowly(place.file, withTemplate(letter));
    await eventually('the new template', () => template() === letter.repeat(400), 2_000);
    // A writer that stood still for as long as a finished one cannot be told from it.
    if (pause > 50) continue;
    expect(live.changes).toHaveLength(told + 1);
    break;
  }
});

test('a file that does not validate changes nothing, is told once, and again when it is in order', async () => {
  const place = placeIn(folderWith());
  writeFileSync(place.file, dbText([record(1)]));
  const live = await liveIn(place);
  writeFileSync(place.file, dbText([record(1), record(2, { default_command: 'nope' })]));
  await eventually('the refusal', () => live.changes.length > 0);
  expect(live.changes).toMatchObject([
    {
      kind: 'refused',
      problems: [{ file: place.file, field: 'webhooks.1.default_command', line: expect.any(Number) }],
    },
  ]);
  expect(live.problems()[0]).toContain('there is no text command nope');
  expect(live.current().byName.has('Webhook 1')).toBe(true);
  await live.reload();
  expect(live.changes).toHaveLength(1);

  writeFileSync(place.file, dbText([record(1)]));
  await eventually('the good news', () => live.changes.length === 2);
  expect(live.changes[1]).toMatchObject({ kind: 'applied', added: [], changed: [], removed: [] });
  expect(live.problems()).toEqual([]);
});

test.each([
  ['removed', (file: string) => rmSync(file), 'the file is gone, although it held 1 webhook'],
  [
    'replaced by a folder',
    (file: string) => {
      rmSync(file);
      mkdirSync(file);
    },
    'is a folder',
  ],
  [
    'one with a webhook of a name that is taken',
    (file: string) => writeFileSync(file, dbText([record(1, { name: 'github' })])),
    'github is already taken by the built-in webhook github',
  ],
])('while the file is %s the last state stays, and that is said', async (_, spoil, message) => {
  const place = placeIn(folderWith());
  writeFileSync(place.file, dbText([record(1)]));
  const live = await liveIn(place);
  spoil(place.file);
  await eventually('the refusal', () => live.changes.length > 0);
  expect(live.changes).toMatchObject([{ kind: 'refused', problems: [{ file: place.file, message }] }]);
  expect(live.current().byName.has('Webhook 1')).toBe(true);
  await place.dynamic.restore().catch(() => rmSync(place.file));
});

test('the whole data folder may be made anew', async () => {
  const place = placeIn(folderWith());
  writeFileSync(place.file, dbText([record(1)]));
  const live = await liveIn(place);
  const folder = dirname(place.file);
  renameSync(folder, `${folder}.old`);
  mkdirSync(folder);
  writeFileSync(place.file, dbText([record(2)]));
  await eventually('the new state', () => live.current().byName.has('Webhook 2'));
});

test('what is in force is kept as the last good copy, for the next start', async () => {
  const place = placeIn(folderWith());
  const live = await liveIn(place);
  writeFileSync(place.file, dbText([record(1)]));
  await eventually('the webhook', () => live.current().byName.has('Webhook 1'));
  await live.close();
  writeFileSync(place.file, 'nonsense');
  const { snapshot, notices } = await place.configuration();
  expect(snapshot.byName.has('Webhook 1')).toBe(true);
  expect(notices[0]).toContain('The last good copy is in force');
});

test('a change of webhooks.yml asks for a restart', async () => {
  const folder = folderWith({ 'webhooks.yml': '' });
  const projectFile = join(folder, 'webhooks.yml');
  const live = await liveIn(placeIn(folder, projectFile));
  writeFileSync(projectFile, 'ingress: { port: 9000 }\n');
  await eventually('the line', () => live.changes.length > 0);
  expect(live.changes[0]).toEqual({ kind: 'restart_needed', file: projectFile, state: 'changed' });
  expect(readFileSync(projectFile, 'utf8')).toContain('9000');
});

test.each(['ENOSPC', 'EMFILE'])(
  'where the system has no watches left (%s) files are polled, and that is said',
  async (code) => {
    const folder = folderWith();
    const script = join(import.meta.dirname, 'without-watches.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [script, folder, code]);
    expect(JSON.parse(stdout)).toMatchObject({
      changes: [{ kind: 'polling' }, { kind: 'applied', added: ['Webhook 1'] }],
      problems: [expect.stringContaining('looked at twice a second')],
    });
  },
);
