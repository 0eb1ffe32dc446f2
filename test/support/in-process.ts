import { PassThrough } from 'node:stream';
import { main } from '../../src/cli.ts';
import { createRedactor } from '../../src/lib/redact/redact.ts';
import type { Sandbox } from './sandbox.ts';

/** How a command ended that ran in this process. */
export interface Told {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What differs from a script that runs in the sandbox's project. */
export interface TellOptions {
  /** A person sits at the terminal. */
  readonly isTerminal?: boolean;
  /** What comes on standard input. */
  readonly stdin?: string;
  /** Variables beside the sandbox's. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Runs one command of the CLI in this process: no start to wait for, where many command lines are tried. */
export function tell(sandbox: Sandbox, ...args: readonly string[]): Promise<Told> {
  return tellWith(sandbox, {}, ...args);
}

/** As `tell`, on a terminal of 80 columns, by a person who types this line when asked. */
export function tellPerson(sandbox: Sandbox, answer: string, ...args: readonly string[]): Promise<Told> {
  return tellWith(sandbox, { isTerminal: true, stdin: `${answer}\n` }, ...args);
}

/** As `tell`, with what differs. */
export async function tellWith(
  sandbox: Sandbox,
  { isTerminal = false, stdin, env: more, cwd = sandbox.project }: TellOptions,
  ...args: readonly string[]
): Promise<Told> {
  const env = { ...sandbox.env, ...more };
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    isTerminal,
    columns: isTerminal ? 80 : undefined,
    color: false,
    write(text: string) {
      written[name] += text;
    },
  });
  const input = stdin === undefined ? process.stdin : typed(stdin, isTerminal);
  const code = await main(args, {
    io: { out: stream('stdout'), err: stream('stderr') },
    env,
    cwd,
    home: sandbox.home,
    pid: process.pid,
    user: 'tester',
    redactor: createRedactor(env),
    stdin: () => input,
    signals: { next: () => new Promise(() => undefined), die: () => undefined },
  });
  return { code, ...written };
}

function typed(text: string, isTTY: boolean): NodeJS.ReadStream {
  const stream = Object.assign(new PassThrough(), { isTTY });
  stream.end(text);
  return stream as unknown as NodeJS.ReadStream;
}

/** A command that must succeed, and what it printed as JSON (`--json` is added). */
export async function tellJson<T>(sandbox: Sandbox, ...args: readonly string[]): Promise<T> {
  const { stdout, stderr, code } = await tell(sandbox, ...args, '--json');
  if (code !== 0) throw new Error(`hookctl ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as T;
}
