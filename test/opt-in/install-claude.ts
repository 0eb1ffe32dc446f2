import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

const run = promisify(execFile);

/** The version that the tests were seen with; another one may say the same in other words. */
const VERSION = '2.1.332';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the real Claude Code. */
    claude: string;
  }
}

/**
 * Installs the real Claude Code from npm into a folder that is thrown away. Needs the npm registry once; where that
 * fails, or the program does not run on this machine, the tests fail and say so.
 */
export default async function install(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'hookctl-claude-code-'));
  const options = ['--no-audit', '--no-fund', '--prefix', folder];
  await run('npm', ['install', ...options, `@anthropic-ai/claude-code@${VERSION}`], { cwd: folder });
  const program = join(folder, 'node_modules/.bin/claude');
  const { stdout } = await run(program, ['--version']).catch((error: unknown) => {
    throw new Error(`this machine can't run Claude Code, so nothing was tried with it: ${error}`);
  });
  if (!stdout.startsWith(`${VERSION} `))
    throw new Error(`Claude Code ${VERSION} was asked for, ${stdout.trim()} came`);
  project.provide('claude', program);
  return () => rm(folder, { recursive: true, force: true });
}
