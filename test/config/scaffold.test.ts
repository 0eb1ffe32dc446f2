import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scaffold } from '../../src/config/project/scaffold.ts';
import { folderWith, loadInNode } from './support.ts';

const FILES = ['webhooks.yml', 'webhooks/example.ts', 'tsconfig.json', 'package.json'];
const GENERATED = ['.hookctl/webhooks.schema.json', '.hookctl/hookctl.d.ts'];

test('a new project has no problem, no notice, and the example answers on its own endpoint', async () => {
  const folder = folderWith();
  expect(await scaffold(folder)).toEqual({ written: [...FILES, ...GENERATED], kept: [] });
  const { loaded, stderr } = await loadInNode(folder);
  expect(stderr).toBe('');
  expect(loaded[0]).toMatchObject({ problems: [], notices: [] });
  expect(loaded[0]?.webhooks.map(({ endpoint, commands }) => [endpoint, commands])).toEqual([
    ['/webhooks/github', ['analyze', 'plan', 'fix', 'review']],
    ['/webhooks/bugs', ['trigger:1', 'triage']],
  ]);
  expect(statSync(join(folder, '.hookctl')).mode & 0o777).toBe(0o700);
});

test('the second time everything is kept as it was', async () => {
  const folder = folderWith({ 'webhooks.yml': '# mine\n' });
  expect((await scaffold(folder)).kept).toEqual(['webhooks.yml']);
  writeFileSync(join(folder, 'webhooks/example.ts'), '// mine too\n');
  expect(await scaffold(folder)).toEqual({ written: [], kept: [...FILES, ...GENERATED] });
  expect(readFileSync(join(folder, 'webhooks.yml'), 'utf8')).toBe('# mine\n');
  expect(readFileSync(join(folder, 'webhooks/example.ts'), 'utf8')).toBe('// mine too\n');
});

test('E14: an editor finds the types of hookctl, in a clone as well, and refuses what hookctl would refuse', async () => {
  const folder = folderWith();
  await scaffold(folder);
  const source = join(ROOT, 'src/index.ts');
  const settings = join(folder, '.hookctl/hookctl.d.ts');
  expect(readFileSync(settings, 'utf8')).toContain(source);
  // An installation has declarations in place of the sources.
  const types = folderWith();
  tsc(
    '--ignoreConfig',
    source,
    '--declaration',
    '--emitDeclarationOnly',
    '--rootDir',
    join(ROOT, 'src'),
    '--outDir',
    types,
    '--target',
    'es2024',
    '--module',
    'nodenext',
    '--types',
    'node',
    '--typeRoots',
    join(ROOT, 'node_modules/@types'),
    '--rewriteRelativeImportExtensions',
    '--skipLibCheck',
  );
  writeFileSync(settings, readFileSync(settings, 'utf8').replace(source, join(types, 'index.d.ts')));
  expect(tsc('-p', folder)).toBe('');
  // E14: a colleague's clone has no data folder, and after `npm install` the package.
  const clone = folderWith();
  for (const name of ['tsconfig.json', 'package.json', 'webhooks'])
    cpSync(join(folder, name), join(clone, name), { recursive: true });
  expect(JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')).devDependencies).toHaveProperty(
    'hookctl',
  );
  const installed = join(clone, 'node_modules/hookctl');
  mkdirSync(installed, { recursive: true });
  cpSync(types, join(installed, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(installed, 'package.json'));
  expect(tsc('-p', clone)).toBe('');
  const file = join(folder, 'webhooks/example.ts');
  writeFileSync(file, readFileSync(file, 'utf8').replace('defaultCommand', 'defaultComand'));
  expect(tsc('-p', folder)).toContain("'defaultComand' does not exist in type 'WebhookDefinition'");
});

const ROOT = join(import.meta.dirname, '../..');

/** What the compiler prints: nothing when all is well. */
function tsc(...options: readonly string[]): string {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  return spawnSync(process.execPath, [compiler, ...options], { encoding: 'utf8' }).stdout;
}
