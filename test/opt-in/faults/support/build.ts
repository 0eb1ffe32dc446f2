import { chmodSync, cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from '../../../setup/built.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** A hookctl of its own, which no edit and no other build changes while it is tried. */
export interface Build {
  /** Its entry file. */
  readonly hookctl: string;
  remove(): void;
}

/** Builds `dist/` where a source is newer, and copies it. */
export function buildHookctl(): Build {
  ensureBuilt();
  const folder = mkdtempSync(join(tmpdir(), 'hookctl-built-'));
  // Other users start it, too.
  chmodSync(folder, 0o755);
  for (const name of ['bin', 'dist', 'package.json']) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return {
    hookctl: join(folder, 'bin', 'hookctl.js'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
