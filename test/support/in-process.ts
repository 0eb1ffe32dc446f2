import { PassThrough } from 'node:stream';
import { main } from '../../src/cli.ts';
import { createRedactor } from '../../src/lib/redact.ts';
import type { Sandbox } from './sandbox.ts';

/** How a command ended that ran in this process. */
export interface Told {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command of the CLI in this process: no start to wait for, where many command lines are tried. */
export function tell(sandbox: Sandbox, ...args: readonly string[]): Promise<Told> {
  return run(sandbox, args, { isTerminal: false, stdin: process.stdin });
}

/** As `tell`, by a person at a terminal who types this line when asked. */
export function tellPerson(sandbox: Sandbox, answer: string, ...args: readonly string[]): Promise<Told> {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  stdin.end(`${answer}\n`);
  return run(sandbox, args, { isTerminal: true, stdin: stdin as unknown as NodeJS.ReadStream });
}

async function run(
  sandbox: Sandbox,
  args: readonly string[],
  { isTerminal, stdin }: { readonly isTerminal: boolean; readonly stdin: NodeJS.ReadStream },
): Promise<Told> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    isTerminal,
    color: false,
    write(text: string) {
      written[name] += text;
    },
  });
  const code = await main(args, {
    io: { out: stream('stdout'), err: stream('stderr') },
    env: sandbox.env,
    cwd: sandbox.project,
    home: sandbox.home,
    pid: process.pid,
    user: 'tester',
    redactor: createRedactor(sandbox.env),
    stdin,
    signals: { next: () => new Promise(() => undefined), die: () => undefined },
  });
  return { code, ...written };
}

/** A command that must succeed, and what it printed as JSON (`--json` is added). */
export async function tellJson<T>(sandbox: Sandbox, ...args: readonly string[]): Promise<T> {
  const { stdout, stderr, code } = await tell(sandbox, ...args, '--json');
  if (code !== 0) throw new Error(`hookctl ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as T;
}
