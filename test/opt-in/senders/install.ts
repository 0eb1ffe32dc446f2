import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { runProgram, Unavailable } from './kit.ts';

interface NpmPackages {
  readonly packages: readonly string[];
  /** Versions for dependencies that the registry no longer has as they are asked for. */
  readonly overrides?: Readonly<Record<string, string>>;
  /** A package of C++ among them or their dependencies, which is compiled for this Node. */
  readonly compiled?: string;
}

/** Installs npm packages into a folder, without their install scripts. */
export async function installNpm(
  folder: string,
  { packages, overrides = {}, compiled }: NpmPackages,
): Promise<void> {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, overrides }));
  await npmInstall(folder, ...packages, ...(compiled === undefined ? [] : [NODE_HEADERS]));
  if (compiled !== undefined) await compile(folder, compiled);
}

export async function npmInstall(folder: string, ...args: readonly string[]): Promise<void> {
  await orUnavailable(
    `npm can't install ${args.join(' ')}`,
    runProgram('npm', ['install', ...NPM_OPTIONS, ...args], { cwd: folder, env: WITH_THIS_NODE }),
  );
}

/** Needs a compiler; the headers of Node come from npm as well. */
export async function compile(folder: string, name: string): Promise<void> {
  const headers = join(folder, 'node_modules', HEADERS);
  await orUnavailable(
    `npm can't compile ${name}`,
    runProgram('npm', ['rebuild', name, `--nodedir=${headers}`], { cwd: folder, env: WITH_THIS_NODE }),
  );
}

const HEADERS = `node-${process.platform}-${process.arch}`;
export const NODE_HEADERS = `${HEADERS}@${process.versions.node}`;
const WITH_THIS_NODE = {
  ...process.env,
  PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
};

export const NPM_OPTIONS = [
  '--ignore-scripts',
  '--legacy-peer-deps',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
];

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
