import { statSync } from 'node:fs';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ConfigError, failure } from '../../errors.ts';
import { shellQuote } from '../../lib/shell-quote.ts';
import { howToTrust, trustedFolders, trustProblem } from './trust.ts';

export const PROJECT_FILE = 'webhooks.yml';
export const DATA_FOLDER = '.hookctl';

/** A token of an owner, with which a command only asks a server: its user may have no data folder, or another one. */
export const TOKEN_VARIABLE = 'HOOKCTL_TOKEN';

/** Whether a command works with a token of an owner, and not with the data folder. */
export function isRemote(env: Readonly<Record<string, string | undefined>>): boolean {
  return (env[TOKEN_VARIABLE] ?? '') !== '';
}

/** Throws `needs_folder` where a command would look into the data folder, or change it, with a token of an owner. */
export function requireFolder(env: Readonly<Record<string, string | undefined>>): void {
  if (!isRemote(env)) return;
  const message = `with ${TOKEN_VARIABLE} a command only asks the server; this one needs the data folder itself`;
  const fix = `Run it as the person who runs hookctl, without ${TOKEN_VARIABLE}.`;
  throw failure('needs_folder', message, { fix });
}

interface LocateOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder. */
  readonly home: string;
  /** What `--config` named; null when it was not given. */
  readonly configFlag: string | null;
}

/** Which files this run is about; all paths are absolute. */
export interface ProjectPaths {
  /** webhooks.yml. Null when hookctl runs with its defaults. */
  readonly projectFile: string | null;
  readonly dataFolder: string;
  /** A webhooks.yml that was found and does not count, in one line with what to type. Left out: there is none. */
  readonly ignored?: string;
  /** Folders whose files count, no matter who can write to them (`trust.ts`). Left out: none. */
  readonly trusted?: readonly string[];
}

/**
 * Finds webhooks.yml (`--config`, or here, or in the nearest folder above) and the data folder: `.hookctl` beside
 * it, else `~/.hookctl`; `HOOKCTL_HOME` wins over both. A file that others could have written does not count
 * (`trust.ts`). Throws ConfigError when `--config` names no file, or one that does not count.
 */
export function locate({ cwd, env, home, configFlag }: LocateOptions): ProjectPaths {
  const trusted = trustedFolders({ env, home });
  const found = configFlag === null ? findAbove(cwd, home) : existing(resolve(cwd, configFlag));
  const problem = found === null ? null : trustProblem(found, trusted);
  if (found !== null && problem !== null && configFlag !== null) {
    throw new ConfigError([{ file: found, message: `is not used: ${problem}`, fix: howToTrust(found) }]);
  }
  const ignored =
    found === null || problem === null ? null : `${found} is not used: ${problem}. ${howToTrust(found)}`;
  const projectFile = ignored === null ? found : null;
  const fixed = env.HOOKCTL_HOME;
  const folder = projectFile === null ? home : dirname(projectFile);
  const dataFolder = fixed === undefined || fixed === '' ? join(folder, DATA_FOLDER) : resolve(cwd, fixed);
  return {
    projectFile,
    dataFolder,
    ...(ignored !== null && { ignored }),
    ...(trusted.length > 0 && { trusted }),
  };
}

/** The nearest webhooks.yml here or above; the search ends at the home folder and at another file system. */
function findAbove(cwd: string, home: string): string | null {
  const end = statSync(home, { throwIfNoEntry: false });
  const start = statSync(cwd);
  for (let folder = cwd, found = start; ; ) {
    const candidate = join(folder, PROJECT_FILE);
    if (isFile(candidate)) return candidate;
    const parent = dirname(folder);
    if (parent === folder || (found.ino === end?.ino && found.dev === end.dev)) return null;
    folder = parent;
    found = statSync(folder);
    if (found.dev !== start.dev) return null;
  }
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
 * Makes the data folder (0700, kept out of git). Throws ConfigError when it is not its user's alone, see
 * `requireOwnFolder`; an empty one is closed instead, because nothing in it can have been read or changed.
 */
export async function prepareDataFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if ((await readdir(path)).length === 0) await chmod(path, 0o700);
  requireOwnFolder(path);
  await writeFile(join(path, '.gitignore'), '*\n', { flag: 'wx', mode: 0o600 }).catch(ignoreExisting);
}

/**
 * Throws ConfigError, with the command that repairs it, when a data folder that exists belongs to somebody else or
 * others may look into it: who can read there has the secrets, who can write there decides what runs.
 */
export function requireOwnFolder(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  const refuse = (message: string, fix: string) => new ConfigError([{ file: path, message, fix }]);
  const own = process.getuid?.() ?? found.uid;
  if (found.uid !== own) {
    throw refuse(
      `the data folder belongs to another user (uid ${found.uid}, you are ${own})`,
      `Type: sudo chown -R ${own} ${shellQuote(path)} - or name a folder of your own with HOOKCTL_HOME.`,
    );
  }
  if ((found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8);
    throw refuse(
      `others may look into the data folder (mode ${mode})`,
      `Type: chmod -R go-rwx ${shellQuote(path)} - and if somebody may have looked, give the webhooks new secrets.`,
    );
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
