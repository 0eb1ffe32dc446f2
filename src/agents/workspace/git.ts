import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { failure } from '../../errors.ts';
import { type Environment, programEnvironment } from '../../lib/process/subprocess.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';

const run = promisify(execFile);

/** Copying a large repository takes long. */
const LONGEST_MS = 10 * 60_000;
/** A remote that does not answer. */
const LONGEST_REMOTE_MS = 60_000;
const MOST_BYTES = 64 * 1024 * 1024;

/** Programs that a repository's configuration names and that git would start by itself. */
const NO_PROGRAMS = ['-c', 'core.fsmonitor=', '-c', 'core.hooksPath=/dev/null', '-c', 'gc.auto=0'];

/** Runs git in a folder and resolves with what it printed. Throws `git` with git's own words. */
export type Git = (folder: string, ...args: readonly string[]) => Promise<string>;

/** The command line of git, without the hooks and monitors that an agent may have entered in a checkout. */
export function gitCommand(env: Environment, folder: string, args: readonly string[]) {
  const quiet = { GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' };
  return {
    program: 'git',
    args: [...NO_PROGRAMS, '-C', folder, ...args],
    env: { ...programEnvironment(env, 'SSH_AUTH_SOCK'), ...quiet },
    folder,
  };
}

/** Git as the user runs it. `more`: further variables. */
export function createGit(env: Environment, more: Environment = {}): Git {
  return async (folder, ...args) => {
    const command = gitCommand(env, folder, args);
    return printed(command.program, command.args, { ...command.env, ...more }, args[0]);
  };
}

/** What a program printed; it is named by `what` where it fails. Throws `git`. */
export async function printed(
  program: string,
  args: readonly string[],
  env: Environment,
  what = program,
): Promise<string> {
  try {
    const timeout = what === 'fetch' || what === 'ls-remote' ? LONGEST_REMOTE_MS : LONGEST_MS;
    const { stdout } = await run(program, args, { env, timeout, maxBuffer: MOST_BYTES });
    return stdout;
  } catch (error) {
    const { stderr = '', code } = error as { readonly stderr?: string; readonly code?: number | string };
    const missing = code === 'ENOENT';
    const said = missing ? 'git is not installed' : escapeInvisibleLine(lastLines(stderr) || String(error));
    throw failure('git', `git ${what}: ${said}`, {
      fix: missing ? 'Install git.' : 'Look at the repository; then repeat the task: hookctl task retry.',
      cause: error,
    });
  }
}

function lastLines(text: string): string {
  return text
    .trim()
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-4)
    .join(' | ');
}

/** What a command prints, without the line end; null when git refuses it. */
export function tryGit(git: Git, folder: string, ...args: readonly string[]): Promise<string | null> {
  return git(folder, ...args).then(
    (text) => text.trim(),
    () => null,
  );
}
