import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const MAX_DEPENDENCIES = 20;

const textOf = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const { dependencies } = JSON.parse(textOf('package.json')) as { dependencies: Record<string, string> };
const names = Object.keys(dependencies);

interface Locked {
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly integrity?: string;
}

const { packages } = JSON.parse(textOf('package-lock.json')) as { packages: Record<string, Locked> };
const installed = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);

test(`there are at most ${MAX_DEPENDENCIES} runtime dependencies`, () => {
  expect(names.length).toBeGreaterThan(0);
  expect(names.length).toBeLessThanOrEqual(MAX_DEPENDENCIES);
});

test('none of all that users get runs a script when it is installed', () => {
  expect(installed.length).toBeGreaterThanOrEqual(names.length);
  expect(
    installed.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path),
  ).toEqual([]);
});

test('each is pinned by its content in the lock, and comes from a registry', () => {
  const loose = installed.filter(
    ([, { integrity, link }]) => link === true || !/^sha512-/.test(integrity ?? ''),
  );
  expect(loose.map(([path]) => path)).toEqual([]);
  expect(Object.values(dependencies).filter((range) => !/^\^?\d/.test(range))).toEqual([]);
});

test('each has a line in ARCHITECTURE.md that says what it is for', () => {
  const [, table = ''] = textOf('ARCHITECTURE.md').split('## Dependencies');
  const rows = [...(table.split('\n## ')[0] ?? '').matchAll(/^\| ([^|]+) \| ([^|]+) \|$/gm)];
  const named = rows.flatMap(([, cell = '']) => cell.split(',').map((name) => name.trim()));
  expect(names.filter((name) => !named.includes(name))).toEqual([]);
});

test('SECURITY.md names tests that are there', () => {
  const files = [...textOf('SECURITY.md').matchAll(/`((?:test|src)\/[\w./-]+\.ts)`/g)].map(
    ([, file]) => file ?? '',
  );
  expect(files.length).toBeGreaterThan(15);
  expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});
