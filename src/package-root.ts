import { readFileSync } from 'node:fs';

/**
 * Folder of the package, by its URL. Right from source and from the bundle: `src/` and `dist/` are both one level
 * below it, and every chunk is directly in `dist/`.
 */
export const PACKAGE_ROOT = new URL('../', import.meta.url);

/** hookctl runs from its TypeScript source: in development and in tests. */
export const FROM_SOURCE = import.meta.url.endsWith('.ts');

/** Programs of the package: what users import, and its threads. */
export type EntryName =
  | 'index'
  | 'store/local/writer'
  | 'store/postgres/writer'
  | 'store/postgres/connection';

/** URL of an entry of the package: `index`, say, which is `src/index.ts` or `dist/index.js`. */
export function entryUrl(name: EntryName): URL {
  return new URL(FROM_SOURCE ? `src/${name}.ts` : `dist/${name}.js`, PACKAGE_ROOT);
}

/** hookctl's own version, from the package.json that this file was installed with. */
export function hookctlVersion(): string {
  const file = new URL('package.json', PACKAGE_ROOT);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** The oldest Node that runs hookctl: `22.22`. */
export function neededNode(): string {
  const file = new URL('package.json', PACKAGE_ROOT);
  const { engines } = JSON.parse(readFileSync(file, 'utf8')) as { engines: { node: string } };
  return engines.node.replace(/^\D+/, '');
}
