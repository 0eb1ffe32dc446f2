import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const MAX_DEPENDENCIES = 24;

const textOf = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const manifest = JSON.parse(textOf('package.json')) as Record<string, Record<string, string> | undefined>;
/** The packages that `src/` imports, which the build takes into `dist/`. */
const names = [...new Set(importsOf('src'))].toSorted();

function importsOf(folder: string): readonly string[] {
  const statement = /^(?:import|export) (?!type )[^;'"=()]*from '([^.'][^']*)'|import\('([^.'][^']*)'\)/gm;
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => [...textOf(join(folder, name)).matchAll(statement)])
    .map(([, fixed, lazy]) => fixed ?? lazy ?? '')
    .filter((name) => !name.startsWith('node:') && name !== 'hookctl')
    .map((name) => (/^@[^/]+\/[^/]+|^[^/]+/.exec(name) ?? [''])[0]);
}

interface Locked {
  readonly dependencies?: Record<string, string>;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly integrity?: string;
}

const { packages } = JSON.parse(textOf('package-lock.json')) as { packages: Record<string, Locked> };
/** With what they depend on in their turn. */
const bundled = new Map<string, Locked>();
for (const queue = [...names]; queue.length > 0; ) {
  const path = `node_modules/${queue.pop()}`;
  const locked = packages[path];
  if (bundled.has(path) || locked === undefined) continue;
  bundled.set(path, locked);
  queue.push(...Object.keys(locked.dependencies ?? {}));
}

test(`at most ${MAX_DEPENDENCIES} packages are imported, and users install none of them`, () => {
  expect(names.length).toBeGreaterThan(10);
  expect(names.length).toBeLessThanOrEqual(MAX_DEPENDENCIES);
  expect(names.filter((name) => !bundled.has(`node_modules/${name}`))).toEqual([]);
  expect([manifest.dependencies, manifest.optionalDependencies, manifest.peerDependencies]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('none of all that is bundled runs a script when it is installed', () => {
  const scripts = [...bundled].filter(([, { hasInstallScript }]) => hasInstallScript === true);
  expect(scripts.map(([path]) => path)).toEqual([]);
});

test('each is pinned by its content in the lock, and comes from a registry', () => {
  const loose = [...bundled].filter(
    ([, { integrity, link }]) => link === true || !/^sha512-/.test(integrity ?? ''),
  );
  expect(loose.map(([path]) => path)).toEqual([]);
  expect(names.filter((name) => !/^\^?\d/.test(manifest.devDependencies?.[name] ?? ''))).toEqual([]);
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
