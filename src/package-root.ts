/**
 * Folder of the package, by its URL. Right from source and from the bundle: `src/` and `dist/` are both one level
 * below it, and every chunk lies directly in `dist/`.
 */
export const PACKAGE_ROOT = new URL('../', import.meta.url);

/** hookctl runs from its TypeScript source: in development and in tests. */
export const FROM_SOURCE = import.meta.url.endsWith('.ts');

/** URL of an entry of the package: `index`, say, which is `src/index.ts` or `dist/index.js`. */
export function entryUrl(name: 'index' | 'store/local/writer'): URL {
  return new URL(FROM_SOURCE ? `src/${name}.ts` : `dist/${name}.js`, PACKAGE_ROOT);
}
