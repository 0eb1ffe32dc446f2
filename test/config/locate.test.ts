import { execSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { locate, prepareDataFolder } from '../../src/config/project/locate.ts';
import { folderWith } from './support.ts';

const HOME = '/home/somebody';

test('webhooks.yml is found here and in the folders above, and data is kept beside it', () => {
  const folder = folderWith({ 'webhooks.yml': '', 'packages/api/index.js': '' });
  const expected = { projectFile: join(folder, 'webhooks.yml'), dataFolder: join(folder, '.hookctl') };
  expect(locate({ cwd: folder, env: {}, home: HOME, configFlag: null })).toEqual(expected);
  const below = join(folder, 'packages/api');
  expect(locate({ cwd: below, env: {}, home: HOME, configFlag: null })).toEqual(expected);
});

test('without a webhooks.yml data is kept in the home folder', () => {
  const located = locate({ cwd: folderWith(), env: {}, home: HOME, configFlag: null });
  expect(located).toEqual({ projectFile: null, dataFolder: '/home/somebody/.hookctl' });
});

test('--config names the file, and HOOKCTL_HOME the data folder, whatever else is there', () => {
  const folder = folderWith({ 'webhooks.yml': '', 'other/hooks.yml': '' });
  const options = { cwd: folder, home: HOME, configFlag: 'other/hooks.yml' };
  expect(locate({ ...options, env: {} })).toEqual({
    projectFile: join(folder, 'other/hooks.yml'),
    dataFolder: join(folder, 'other/.hookctl'),
  });
  expect(locate({ ...options, env: { HOOKCTL_HOME: 'data' } }).dataFolder).toBe(join(folder, 'data'));
  expect(locate({ ...options, env: { HOOKCTL_HOME: '' } }).dataFolder).toBe(join(folder, 'other/.hookctl'));
});

test('a --config that does not exist is named, with what to type', () => {
  const folder = folderWith();
  expect(() => locate({ cwd: folder, env: {}, home: HOME, configFlag: 'nope.yml' })).toThrow(
    `${folder}/nope.yml there is no such file\n  Name a file that exists with --config, or type \`hookctl init\``,
  );
});

test('the data folder is its user’s alone and stays out of git', async () => {
  const folder = join(folderWith(), 'deep/.hookctl');
  await prepareDataFolder(folder);
  await prepareDataFolder(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('*\n');
});

test('a data folder that others may look into is refused, with the command that closes it', async () => {
  const folder = join(folderWith(), 'data');
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  await prepareDataFolder(folder);
  expect(statSync(folder).mode & 0o777, 'an empty one is closed').toBe(0o700);
  for (const mode of [0o750, 0o705, 0o770, 0o711]) {
    chmodSync(folder, mode);
    await expect(prepareDataFolder(folder)).rejects.toThrow(
      `${folder} others may look into the data folder (mode ${mode.toString(8)})\n  Type: chmod -R go-rwx ${folder} - and if`,
    );
    expect(statSync(folder).mode & 0o777, 'nothing is changed').toBe(mode);
  }
  execSync(`chmod -R go-rwx ${folder}`);
  await prepareDataFolder(folder);
});

test.runIf(process.getuid?.() === 0)('a data folder of another user is refused', async () => {
  const folder = join(folderWith(), 'data');
  await prepareDataFolder(folder);
  chownSync(folder, 12_345, 12_345);
  await expect(prepareDataFolder(folder)).rejects.toThrow(
    `the data folder belongs to another user (uid 12345, you are 0)\n  Type: sudo chown -R 0 ${folder}`,
  );
});
