import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram, Unavailable } from './kit.ts';

interface NpmPackages {
  readonly packages: readonly string[];
  /** Versions for dependencies that the registry no longer has as they are asked for. */
  readonly overrides?: Readonly<Record<string, string>>;
  /** Whether what they only expect beside them is installed, too. */
  readonly peers?: boolean;
}

/** From this version on it brings its binaries, so that nothing is compiled. */
export const SQLITE = 'better-sqlite3@13.2.0';

/** Installs npm packages into a folder, without their install scripts. */
export async function installNpm(
  folder: string,
  { packages, overrides = {}, peers = false }: NpmPackages,
): Promise<void> {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, overrides }));
  await npmInstall(folder, ...packages, ...(peers ? [] : [WITHOUT_PEERS]));
}

export const WITHOUT_PEERS = '--legacy-peer-deps';

export async function npmInstall(folder: string, ...args: readonly string[]): Promise<void> {
  await orUnavailable(
    `npm can't install ${args.join(' ')}`,
    runProgram('npm', ['install', ...NPM_OPTIONS, ...args], { cwd: folder }),
  );
}

const NPM_OPTIONS = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

/** Unpacks Debian packages, and of their dependencies those that this machine lacks, below a folder; needs no root. */
export async function unpackDebian(folder: string, packages: readonly string[]): Promise<string> {
  const plan = await orUnavailable(
    `apt can't plan ${packages.join(' ')} (apt-get update as root may help)`,
    runProgram('apt-get', ['install', '--simulate', '--no-install-recommends', ...packages], { cwd: folder }),
  );
  const missing = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
  const names = [...new Set([...packages, ...missing])];
  await orUnavailable(
    `apt can't download ${names.join(' ')}`,
    runProgram('apt-get', ['download', ...names], { cwd: folder }),
  );
  const root = join(folder, 'root');
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.deb')))
    await runProgram('dpkg', ['-x', file, root], { cwd: folder });
  return root;
}

/** A program below an unpacked root. */
export function programIn(root: string, path: string): string {
  const file = join(root, path);
  if (existsSync(file)) return file;
  throw new Unavailable(`the packages brought no ${path}`);
}

export async function orUnavailable<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const words = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    const last = words
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('npm error A complete log'));
    throw new Unavailable(`${what}: ${last.slice(-2).join(' ')}`);
  }
}
