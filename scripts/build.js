// Builds dist/: `npm run build`, and by itself after `npm ci` and before `npm pack`. TypeScript writes the types, rolldown
// the code: few files start faster than many, and what is bundled needs not be installed.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Node from node_modules where it is, since the machine's own may be too old for the compiler. */
export function node() {
  const pinned = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
  return existsSync(pinned) ? pinned : process.execPath;
}

export function build() {
  const tsc = createRequire(import.meta.url)
    .resolve('typescript/package.json')
    .replace('package.json', 'bin/tsc');
  rmSync(`${root}/dist`, { recursive: true, force: true });
  const run = (...args) => spawnSync(node(), args, { cwd: root, stdio: 'inherit' }).status ?? 1;
  return run(tsc, '-p', 'tsconfig.build.json') || run(`${root}/scripts/bundle.js`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = build();
