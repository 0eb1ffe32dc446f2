import { onTestFinished } from 'vitest';
import { main } from '../../src/cli.ts';
import { createRedactor } from '../../src/lib/redact/redact.ts';
import type { Signals } from '../../src/services.ts';
import { eventually } from './eventually.ts';
import type { Sandbox } from './sandbox.ts';
import type { ServeLine } from './server.ts';

/** `hookctl serve` in the process of the test: no start to wait for, one more server costs milliseconds. */
export interface ServeHere {
  readonly url: string;
  readonly port: number;
  readonly managementUrl: string;
  readonly managementPort: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** What it printed with `--json`. */
  readonly lines: () => readonly ServeLine[];
  /** Sends it a signal; it does what it does on the real one. */
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Signals by which it would have ended the process. */
  readonly died: () => readonly NodeJS.Signals[];
  readonly ended: Promise<number>;
  /** SIGTERM, and waits for the end. */
  readonly stop: () => Promise<number>;
}

export interface ServeHereOptions {
  /** Default: nothing is a terminal. */
  readonly isTerminal?: boolean;
  /** Default: no colour. */
  readonly color?: boolean;
  /** In place of the sandbox's. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Beside the rest of a test run a start may take long. */
const PATIENCE_MS = 60_000;

/** Starts it on free ports and waits until it is ready. The test ends it, or it ends with the test. */
export async function serveHere(
  sandbox: Sandbox,
  args: readonly string[] = ['--json'],
  { isTerminal = false, color = false, env = sandbox.env }: ServeHereOptions = {},
): Promise<ServeHere> {
  const written = { stdout: '', stderr: '' };
  const died: NodeJS.Signals[] = [];
  let waiting: ((signal: NodeJS.Signals) => void)[] = [];
  /** Sent before anybody listened. */
  const early: NodeJS.Signals[] = [];
  const signals: Signals = {
    next: () =>
      new Promise((resolve) => {
        const sent = early.shift();
        if (sent === undefined) waiting.push(resolve);
        else resolve(sent);
      }),
    die: (signal) => void died.push(signal),
  };
  const stream = (name: 'stdout' | 'stderr') => ({
    isTerminal,
    color,
    write(text: string) {
      written[name] += text;
    },
  });
  const ended = main(['serve', '--port', '0', '--management-port', '0', ...args], {
    io: { out: stream('stdout'), err: stream('stderr') },
    env,
    cwd: sandbox.project,
    home: sandbox.home,
    pid: process.pid,
    user: 'tester',
    redactor: createRedactor(env),
    stdin: () => process.stdin,
    signals,
  });
  const signal = (name: NodeJS.Signals) => {
    const all = waiting;
    waiting = [];
    if (all.length === 0) early.push(name);
    for (const tell of all) tell(name);
  };
  const stop = async () => {
    signal('SIGTERM');
    return ended;
  };
  onTestFinished(async () => void (await stop()));
  const lines = () =>
    written.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as ServeLine);
  const found = await Promise.race([
    eventually('the ready line', () => addresses(written), PATIENCE_MS),
    ended,
  ]);
  if (typeof found === 'number') throw new Error(`serve ended with ${found}: ${written.stderr}`);
  return {
    ...found,
    port: Number(new URL(found.url).port),
    managementPort: Number(new URL(found.managementUrl).port),
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    lines,
    signal,
    died: () => died,
    ended,
    stop,
  };
}

function addresses({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }) {
  const [, url, managementUrl] =
    /"type":"ready".*?"ingress_url":"([^"]+)".*?"management_url":"([^"]+)"/.exec(stdout) ??
    /^Ready on (http:\/\/[^\s,]+)[\s\S]*?\(management ([^,]+),/m.exec(stderr) ??
    [];
  return url === undefined || managementUrl === undefined ? null : { url, managementUrl };
}
