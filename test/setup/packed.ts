import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { ensureBuilt } from './built.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Prefix into which the packed CLI was installed globally. */
    packed: string;
  }
}

/** The variable that names a prefix with the packed CLI, for scripts that run the suite several times over one install. */
export const PREFIX_VARIABLE = 'HOOKCTL_TEST_PREFIX';

/**
 * Packs the CLI and installs the tarball into an empty prefix, once for all tests: what users run is what is
 * tested, with only the files that `files` names and only the dependencies that are declared.
 */
export default function setup({ provide }: TestProject): (() => void) | undefined {
  const given = process.env[PREFIX_VARIABLE];
  if (given !== undefined) {
    provide('packed', given);
    return undefined;
  }
  const folder = installPacked();
  provide('packed', folder);
  return () => rmSync(folder, { recursive: true, force: true });
}

/** Returns the prefix, which the caller removes. */
export function installPacked(): string {
  ensureBuilt();
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'hookctl-packed-'));
  // A test that runs as root starts it as somebody else, for whom modes count.
  chmodSync(folder, 0o755);
  const npm = (...args: readonly string[]) =>
    execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const [packed] = JSON.parse(npm('pack', '--ignore-scripts', '--json', '--pack-destination', folder)) as {
    filename: string;
  }[];
  npm('install', '--global', '--prefix', folder, '--ignore-scripts', join(folder, packed?.filename ?? ''));
  return folder;
}
