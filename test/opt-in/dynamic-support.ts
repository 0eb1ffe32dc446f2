import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('../../scripts/dev.js', import.meta.url));

/** A user with a home and a data folder of their own. */
export interface Bed {
  readonly dataFolder: string;
  /** `webhooks.json` in it. */
  readonly db: string;
  readonly env: Readonly<Record<string, string>>;
  /** The arguments with which Node runs a command of hookctl from its sources. */
  command(...args: readonly string[]): readonly string[];
  /** Runs a command that must succeed, and returns what it printed. */
  run(...args: readonly string[]): Promise<string>;
  remove(): void;
}

export function makeBed(db: string | null = null): Bed {
  const root = mkdtempSync(join(tmpdir(), 'hookctl-opt-in-'));
  const dataFolder = join(root, 'data');
  mkdirSync(dataFolder, { mode: 0o700 });
  const file = join(dataFolder, 'webhooks.json');
  if (db !== null) writeFileSync(file, db, { mode: 0o600 });
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: root,
    HOOKCTL_HOME: dataFolder,
    CLAUDE_CONFIG_DIR: join(root, 'claude'),
  };
  return {
    dataFolder,
    db: file,
    env,
    command: (...args) => [ENTRY, ...args],
    run: (...args) => run(env, [ENTRY, ...args]),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

async function run(env: Bed['env'], args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.err += text));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${args.slice(1).join(' ')} ended with ${code}: ${output.err}`);
  return output.out;
}

/** One line of `serve --json`. */
export interface ServeLine {
  readonly type: string;
  readonly at: string;
  readonly [field: string]: unknown;
}

export interface Served {
  readonly url: string;
  /** Every line so far. */
  readonly lines: readonly ServeLine[];
  /** The next line that fits, counted from the last one that was waited for. */
  until(what: string, fits: (line: ServeLine) => boolean): Promise<ServeLine>;
  stop(): Promise<void>;
}

const PATIENCE_MS = 60_000;

/** Starts `serve --json` on free ports and waits until it is ready. */
export async function serve({ command, env }: Bed): Promise<Served> {
  const args = command('serve', '--json', '--port', '0', '--management-port', '0');
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: ServeLine[] = [];
  readLines(child, (line) => lines.push(JSON.parse(line) as ServeLine));
  let seen = 0;
  const until: Served['until'] = async (what, fits) => {
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await delay(5)) {
      const index = lines.findIndex((line, position) => position >= seen && fits(line));
      const found = lines[index];
      if (found !== undefined) {
        seen = index + 1;
        return found;
      }
      if (child.exitCode !== null) throw new Error(`serve ended with ${child.exitCode}`);
    }
    throw new Error(`waited in vain for ${what}`);
  };
  const ready = await until('the ready line', ({ type }) => type === 'ready');
  return {
    url: String(ready.ingress_url),
    lines,
    until,
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

function readLines(child: ChildProcess, each: (line: string) => void): void {
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) each(line);
  });
}

/** Median, 95th percentile and largest, in whole milliseconds. */
export function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
  return `median ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(1)} ms (${sorted.length})`;
}

/** Whether a program is on the PATH. */
export function hasProgram(name: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, name)));
}
