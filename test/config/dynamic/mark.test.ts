import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { revisionOf } from '../../../src/config/dynamic/db-file.ts';
import { addWebhook, setEnabled } from '../../../src/config/dynamic/edit.ts';
import { readMark } from '../../../src/config/dynamic/mark.ts';
import { folderWith } from '../support.ts';
import { placeIn, problemsOf } from './support.ts';

const HOOK = { provider: 'github', name: 'hook', secret: 'my-secret' };

test('what was validated is marked; a file that was changed by hand is validated again, whole', async () => {
  const folder = folderWith();
  const { dynamic, dataFolder, file } = placeIn(folder);
  const { revision } = await dynamic.edit(
    addWebhook({ ...HOOK, commands: [{ name: 'go', template: 'Look' }] }),
  );
  expect(readMark(dataFolder)).toMatchObject({ revision, canonical: true });
  writeFileSync(file, readFileSync(file, 'utf8').replace('"Look"', '"{{#if"'));
  expect(await problemsOf(placeIn(folder).dynamic.read())).toMatchObject([
    { file, field: 'webhooks.0.commands.0.template' },
  ]);
});

test('a marked template is compiled when it is used, and renders as it always did', async () => {
  const folder = folderWith();
  const commands = [
    { name: 'go', template: 'Look at {{issue.title}}' },
    { trigger: 'issues.opened', conditions: { 'issue.state': 'open' }, template: 'New' },
  ];
  await placeIn(folder).dynamic.edit(addWebhook({ ...HOOK, commands }));
  const { snapshot } = await placeIn(folder).configuration();
  const [text, trigger] = snapshot.byName.get('hook')?.commands ?? [];
  const payload = { issue: { title: 'Login', state: 'closed' } };
  const event = {
    type: 'issues.opened',
    externalId: null,
    sender: null,
    text: null,
    author: null,
    title: null,
    url: null,
  };
  const context = {
    event: { ...event, textOrigin: 'created' as const, payload },
    argument: '',
    authorOf: () => null,
  };
  expect(text?.template.plain(context)).toBe('Look at Login');
  expect(trigger?.kind === 'trigger' && trigger.conditions.unmet(payload)).toMatch(/issue\.state/);
});

test('a mark of another version counts for nothing', async () => {
  const folder = folderWith();
  const { dynamic, dataFolder } = placeIn(folder);
  await dynamic.edit(addWebhook(HOOK));
  const file = join(dataFolder, 'webhooks.checked.json');
  writeFileSync(file, JSON.stringify({ ...readMark(dataFolder), version: '0.0.0' }));
  expect(readMark(dataFolder)).toBeNull();
  expect((await placeIn(folder).dynamic.read()).webhooks).toHaveLength(1);
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

test('E21: a db that says agent for a command is read, marked or not, and written with target_agent', async () => {
  for (const marked of [true, false]) {
    const folder = folderWith();
    const { dynamic, dataFolder, file } = placeIn(folder);
    const commands = [{ name: 'go', target_agent: 'planning', template: 'Ask the "agent"' }];
    await dynamic.edit(addWebhook({ ...HOOK, commands }));
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, before.replace('"target_agent": "planning"', '"agent": "planning"'));
    expect(readFileSync(file, 'utf8')).not.toBe(before);
    if (marked) {
      const mark = { ...readMark(dataFolder), revision: revisionOf(readFileSync(file)) };
      writeFileSync(join(dataFolder, 'webhooks.checked.json'), JSON.stringify(mark));
    }
    const former = placeIn(folder);
    const { snapshot } = await former.configuration();
    expect(snapshot.byName.get('hook')?.commands[0]?.targetAgent).toBe('planning');
    await former.dynamic.edit(setEnabled('hook', false));
    expect(former.text()).toContain('"target_agent": "planning"');
    expect(former.text()).not.toContain('"agent":');
  }
});
