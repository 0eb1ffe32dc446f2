import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject, onTestFinished } from 'vitest';
import { listFolderName } from '../../src/tasks/claude/index.ts';
import type { MessagesApi } from './messages-api.ts';

/** The real Claude Code, in a home that is thrown away, against a Messages API on loopback that plays a script. */

const TASK_TOOLS = ['TaskList', 'TaskGet', 'TaskUpdate', 'TaskCreate'];
const MODEL = 'claude-sonnet-4-5';
const API_KEY = 'not-a-key';

/** What every Claude Code of these tests has: a home of its own, no way out, a key that opens nothing. */
export function claudeEnv(home: string, configDir: string, api: MessagesApi): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: home,
    CLAUDE_CONFIG_DIR: configDir,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    ANTHROPIC_BASE_URL: api.url,
    ANTHROPIC_API_KEY: API_KEY,
  };
}

function onList(folder: string, api: MessagesApi): Record<string, string> {
  return {
    ...claudeEnv(folder, join(folder, 'claude'), api),
    CLAUDE_CODE_TASK_LIST_ID: listFolderName('hookctl'),
    CLAUDE_CODE_ENABLE_TODO_TOOLS: '1',
  };
}

/** How a headless session differs from the usual one. */
interface HeadlessOptions {
  /** Tools that it may use; default the Task tools. */
  readonly allowed?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** One headless session in a folder, which is its home, too, on the list `hookctl` there; resolves at its end. */
export async function headless(
  folder: string,
  api: MessagesApi,
  { allowed = TASK_TOOLS, env = {} }: HeadlessOptions = {},
): Promise<void> {
  const args = ['-p', 'Work on the tasks', '--model', MODEL, '--allowedTools', ...allowed];
  const options = { cwd: folder, env: { ...onList(folder, api), ...env }, timeout: 240_000 };
  const session = promisify(execFile)(inject('claude'), args, options);
  session.child.stdin?.end();
  await session;
}

/** Opens a session as a person has it, in a pseudo-terminal (`script` of util-linux); it ends with the test. */
export async function inTerminal(
  folder: string,
  api: MessagesApi,
  { allowed = TASK_TOOLS, env: more = {} }: HeadlessOptions = {},
): Promise<{ readonly running: () => boolean; readonly close: () => Promise<void> }> {
  await answerFirstQuestions(folder);
  // Without a size Claude Code draws nothing.
  const command = [
    'stty rows 50 cols 150;',
    `exec ${inject('claude')} --model ${MODEL} --allowedTools ${allowed.join(' ')} -- 'Work on the tasks'`,
  ].join(' ');
  const env = { ...onList(folder, api), TERM: 'xterm-256color', ...more };
  const child = spawn('script', ['-qefc', command, '/dev/null'], { cwd: folder, env });
  const over = Promise.race([
    once(child, 'close'),
    once(child, 'error').then(([error]) => Promise.reject(missing(error))),
  ]);
  over.catch(() => undefined);
  child.stdout.resume();
  const close = async () => {
    child.kill();
    await over;
  };
  onTestFinished(close);
  return { running: () => child.exitCode === null && !child.killed, close };
}

function missing(cause: unknown): Error {
  return new Error('this machine has no `script` (util-linux), so no session was tried in a terminal', {
    cause,
  });
}

/** What Claude Code asks in a new home: theme, the key, whether the folder is trusted. */
async function answerFirstQuestions(folder: string): Promise<void> {
  const answers = {
    hasCompletedOnboarding: true,
    lastOnboardingVersion: '99.0.0',
    theme: 'dark',
    customApiKeyResponses: { approved: [API_KEY], rejected: [] },
    projects: { [folder]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } },
  };
  await mkdir(join(folder, 'claude'), { recursive: true });
  await writeFile(join(folder, 'claude/.claude.json'), JSON.stringify(answers));
}
