import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { addWebhook, setEnabled } from '../../../src/config/dynamic/edit.ts';
import { folderWith } from '../support.ts';
import { placeIn, problemsOf } from './support.ts';

const HOOK = { provider: 'github', name: 'hook', secret: 'my-secret' };

test('a file that was changed by hand is validated again, whole', async () => {
  const folder = folderWith();
  const { dynamic, file } = placeIn(folder);
  await dynamic.edit(addWebhook({ ...HOOK, commands: [{ name: 'go', template: 'Look' }] }));
  writeFileSync(file, readFileSync(file, 'utf8').replace('"Look"', '"{{#if"'));
  expect(await problemsOf(placeIn(folder).dynamic.read())).toMatchObject([
    { file, field: 'webhooks.0.commands.0.template' },
  ]);
});

test('one change among many leaves the others as they are', async () => {
  const folder = folderWith();
  const { dynamic, text } = placeIn(folder);
  for (let index = 0; index < 3; index++) await dynamic.edit(addWebhook({ ...HOOK, name: `hook ${index}` }));
  const before = JSON.parse(text()) as { webhooks: { name: string }[] };
  await placeIn(folder).dynamic.edit(setEnabled('hook 1', false));
  const after = JSON.parse(text()) as typeof before;
  expect([after.webhooks[0], after.webhooks[2]]).toEqual([before.webhooks[0], before.webhooks[2]]);
  expect(after.webhooks[1]).toMatchObject({ name: 'hook 1', enabled: false });
});

test('E21: a db that says agent for a command is read, and written with target_agent', async () => {
  const folder = folderWith();
  const { dynamic, file } = placeIn(folder);
  const commands = [{ name: 'go', target_agent: 'planning', template: 'Ask the "agent"' }];
  await dynamic.edit(addWebhook({ ...HOOK, commands }));
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, before.replace('"target_agent": "planning"', '"agent": "planning"'));
  expect(readFileSync(file, 'utf8')).not.toBe(before);
  const former = placeIn(folder);
  const { snapshot } = await former.configuration();
  expect(snapshot.byName.get('hook')?.commands[0]?.targetAgent).toBe('planning');
  await former.dynamic.edit(setEnabled('hook', false));
  expect(former.text()).toContain('"target_agent": "planning"');
  expect(former.text()).not.toContain('"agent":');
});
