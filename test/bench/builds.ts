import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { here } from './load.ts';
import type { Found } from './peers.ts';

const ROOT = here('../..');

/** What hookctl was before its store and its start were made anew: figures compare with it, side by side. */
const OLD = '1a1cdb0';
/** In node_modules, where no tool looks for sources of this repository. */
const CACHE = join(ROOT, 'node_modules/.cache/hookctl-bench');

let packed: string | null = null;

/** hookctl as it is published: built and packed, with only the files that the package has. */
export function hookctlBinary({ folder }: Pick<Bench, 'folder'>): string {
  packed ??= unpack(folder);
  return packed;
}

function unpack(folder: string): string {
  node(ROOT, 'scripts/build.js');
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const [made] = JSON.parse(execFileSync('npm', pack, { cwd: ROOT, encoding: 'utf8' })) as {
    filename: string;
  }[];
  execFileSync('tar', ['-xzf', join(folder, made?.filename ?? ''), '-C', folder]);
  return join(folder, 'package/bin/hookctl.js');
}

/** The CLI of the commit that is compared with, built from the history once; or why it cannot be had. */
export function oldBinary({ say }: Pick<Bench, 'say'>): Found<string> {
  const place = join(CACHE, OLD);
  const binary = join(place, 'bin/hookctl.js');
  if (existsSync(binary)) return { ok: true, peer: binary };
  const known = spawnSync('git', ['cat-file', '-e', `${OLD}^{commit}`], { cwd: ROOT });
  if (known.status !== 0) return { ok: false, why: `this clone has no history back to ${OLD}` };
  say(`building ${OLD}`);
  const unfinished = `${place}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  try {
    const archive = join(unfinished, 'archive.tar');
    execFileSync('git', ['archive', '--output', archive, OLD], { cwd: ROOT });
    execFileSync('tar', ['-xf', archive, '-C', unfinished]);
    npm(unfinished, 'ci');
    node(unfinished, 'scripts/build.js');
    npm(unfinished, 'prune', '--omit=dev');
    renameSync(unfinished, place);
    return { ok: true, peer: binary };
  } catch (error) {
    return { ok: false, why: `${OLD} could not be built: ${error instanceof Error ? error.message : error}` };
  }
}

function npm(cwd: string, ...args: readonly string[]): void {
  execFileSync('npm', [...args, '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

function node(cwd: string, script: string): void {
  execFileSync(process.execPath, [script], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}
