import { statSync } from 'node:fs';
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ConfigError } from '../errors.ts';

export const PROJECT_FILE = 'webhooks.yml';
export const DATA_FOLDER = '.hookctl';

export interface LocateOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder. */
  readonly home: string;
  /** What `--config` named; null when it was not given. */
  readonly configFlag: string | null;
}

/** Which files this run is about; all paths are absolute. */
export interface Located {
  /** webhooks.yml; null: hookctl runs with its defaults. */
  readonly projectFile: string | null;
  readonly dataFolder: string;
}

/**
 * Finds webhooks.yml (`--config`, or here, or in the nearest folder above) and the data folder: `.hookctl` beside
 * it, else `~/.hookctl`; `HOOKCTL_HOME` wins over both. Throws ConfigError when `--config` names no file.
 */
export function locate({ cwd, env, home, configFlag }: LocateOptions): Located {
  const projectFile = configFlag === null ? findAbove(cwd) : existing(resolve(cwd, configFlag));
  const fixed = env.HOOKCTL_HOME;
  if (fixed !== undefined && fixed !== '') return { projectFile, dataFolder: resolve(cwd, fixed) };
  const folder = projectFile === null ? home : dirname(projectFile);
  return { projectFile, dataFolder: join(folder, DATA_FOLDER) };
}

function findAbove(folder: string): string | null {
  const candidate = join(folder, PROJECT_FILE);
  if (isFile(candidate)) return candidate;
  const parent = dirname(folder);
  return parent === folder ? null : findAbove(parent);
}

function existing(file: string): string {
  if (isFile(file)) return file;
  const fix = 'Name a file that exists with --config, or type `hookctl init` to make a webhooks.yml.';
  throw new ConfigError([{ file, message: 'there is no such file', fix }]);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/**
 * Makes the data folder (0700, kept out of git). Throws ConfigError when it belongs to somebody else or others may
 * write to it: who can write there can change secrets and tasks.
 */
export async function prepareDataFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { mode, uid } = await stat(path);
  const refuse = (message: string, fix: string) => new ConfigError([{ file: path, message, fix }]);
  if (process.getuid !== undefined && uid !== process.getuid()) {
    throw refuse(
      'the data folder belongs to another user',
      'Name one of your own: HOOKCTL_HOME=~/.hookctl hookctl …',
    );
  }
  if ((mode & 0o022) !== 0) {
    throw refuse('others may write to the data folder', `Type: chmod 700 ${path}`);
  }
  await chmod(path, 0o700);
  await writeFile(join(path, '.gitignore'), '*\n', { flag: 'wx', mode: 0o600 }).catch(ignoreExisting);
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
