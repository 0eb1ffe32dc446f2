import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** A hookctl of its own, which no edit and no other build changes while it is tried. */
export interface Build {
  /** Its entry file. */
  readonly hookctl: string;
  remove(): void;
}

/** Compiles the sources into a folder of their own. Throws what the compiler says. */
export function buildHookctl(): Build {
  const folder = mkdtempSync(join(tmpdir(), 'hookctl-built-'));
  // Other users start it, too.
  chmodSync(folder, 0o755);
  const tsc = createRequire(import.meta.url)
    .resolve('typescript/package.json')
    .replace('package.json', 'bin/tsc');
  const args = [tsc, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const remove = () => rmSync(folder, { recursive: true, force: true });
  if (status !== 0) {
    remove();
    throw new Error(`hookctl can't be built: ${stdout}${stderr}`);
  }
  cpSync(join(ROOT, 'bin'), join(folder, 'bin'), { recursive: true });
  copyFileSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return { hookctl: join(folder, 'bin', 'hookctl.js'), remove };
}
