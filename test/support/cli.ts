import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { Sandbox } from './sandbox.ts';

/** How a command ended. `signal` is set when one ended it. */
export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running command, its output as far as it has come. */
export interface Running {
  readonly child: ChildProcess & { readonly pid: number };
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<Ran>;
}

/** The packed and globally installed CLI where the test's project has one (cli, e2e), else the built one. */
export function cliPath(): string {
  const packed: string | undefined = inject('packed');
  return packed === undefined
    ? join(import.meta.dirname, '../../bin/hookctl.js')
    : join(packed, 'lib/node_modules/hookctl/bin/hookctl.js');
}

/** Starts the CLI in a sandbox. The caller sees to its end. */
export function spawnCli(sandbox: Sandbox, args: readonly string[], node: readonly string[] = []): Running {
  return spawnIn(sandbox, process.execPath, [...node, cliPath(), ...args]);
}

/** Starts a program in a sandbox. */
export function spawnIn(sandbox: Sandbox, program: string, args: readonly string[]): Running {
  const child = spawn(program, args, {
    cwd: sandbox.project,
    env: sandbox.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.pid === undefined) throw new Error(`${program} did not start`);
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const ended = once(child, 'close').then(([code, signal]): Ran => ({ ...output, code, signal }));
  return {
    child: child as Running['child'],
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    ended,
  };
}

/** Runs one command to its end. */
export function cli(sandbox: Sandbox, ...args: readonly string[]): Promise<Ran> {
  return spawnCli(sandbox, args).ended;
}

/** Runs a command that must succeed, and returns what it printed as JSON (`--json` is added). */
export async function cliJson<T>(sandbox: Sandbox, ...args: readonly string[]): Promise<T> {
  const { stdout, stderr, code } = await cli(sandbox, ...args, '--json');
  if (code !== 0) throw new Error(`hookctl ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as T;
}
