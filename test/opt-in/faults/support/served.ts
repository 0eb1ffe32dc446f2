import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bed } from './bed.ts';

/** A running `hookctl serve --json`. */
export interface Served {
  readonly bed: Bed;
  /** Of hookctl itself, also where another program started it. */
  readonly pid: number;
  readonly child: ChildProcess;
  readonly url: string;
  readonly port: number;
  readonly managementPort: number;
  /** What it found wrong at its start. */
  readonly problems: readonly string[];
  /** Milliseconds from the start to the ready line. */
  readonly startMs: number;
  /** What it said on stderr so far. */
  stderr(): string;
  /** Signals it and waits for its end. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
  readonly ended: Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServeOptions {
  /** A program, and arguments of its own, that is to start hookctl. */
  readonly through?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** One that is on its way. */
export interface Starting {
  readonly child: ChildProcess;
  readonly ready: Promise<Served>;
}

const PATIENCE_MS = 30_000;

/** Starts `serve` on free ports; `ready` rejects with what it said when it ends before. */
export function startServe(bed: Bed, { through = [], env = {}, args = [] }: ServeOptions = {}): Starting {
  const line = ['serve', '--json', '--port', '0', '--management-port', '0', ...args];
  const [program = '', ...rest] = [...through, process.execPath, bed.hookctl, ...line];
  const startedAt = performance.now();
  const child = spawn(program, rest, {
    cwd: bed.project,
    env: { ...bed.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-20_000);
  });
  const ended = once(child, 'exit').then(([code, signal]): Ended => ({ code, signal }));
  const ready = readyLine(child, ended, () => said).then((facts): Served => {
    const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
      if (child.exitCode === null && child.signalCode === null) kill(facts.pid, signal);
      return ended;
    };
    return { ...facts, bed, child, stderr: () => said, stop, ended, startMs: performance.now() - startedAt };
  });
  // Who kills it while it starts does not wait for it to be ready.
  ready.catch(() => undefined);
  return { child, ready };
}

type Facts = Pick<Served, 'pid' | 'url' | 'port' | 'managementPort' | 'problems'>;

async function readyLine(child: ChildProcess, ended: Promise<Ended>, said: () => string): Promise<Facts> {
  const { promise, resolve } = Promise.withResolvers<Facts>();
  if (child.stdout === null) throw new Error('serve has no stdout');
  createInterface({ input: child.stdout }).on('line', (text) => {
    if (!text.startsWith('{"type":"ready"')) return;
    const { pid, ingress_url, management_url, problems } = JSON.parse(text);
    const managementPort = Number(new URL(management_url).port);
    resolve({ pid, url: ingress_url, port: Number(new URL(ingress_url).port), managementPort, problems });
  });
  const facts = await Promise.race([
    promise,
    ended.then((end) => end),
    delay(PATIENCE_MS, 'late' as const, { ref: false }),
  ]);
  if (facts === 'late') {
    child.kill('SIGKILL');
    throw new Error(`serve was not ready after ${PATIENCE_MS} ms: ${said()}`);
  }
  if (!('url' in facts)) throw new Error(`serve ended with ${facts.code ?? facts.signal}: ${said().trim()}`);
  return facts;
}

/** A signal for what may have ended by now. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export function isAlive({ child }: Pick<Served, 'child'>): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** One request to the management API, with the token of the folder. */
export const api = <T>(served: Served, path: string): Promise<T> => send<T>(served, 'GET', path);

/** The same with a method and a JSON body. */
export async function send<T>(
  { bed, managementPort }: Served,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<T> {
  const token = readFileSync(join(bed.dataFolder, 'token'), 'utf8').trim();
  const response = await fetch(`http://127.0.0.1:${managementPort}/api/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok)
    throw new Error(`${method} /api/${path} was answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

/** Every item of a list of the API. */
export async function all<T>(served: Served, path: string): Promise<readonly T[]> {
  const items: T[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = `${path.includes('?') ? '&' : '?'}limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`;
    const page: { items: T[]; next_cursor: string | null } = await api(served, path + query);
    items.push(...page.items);
    cursor = page.next_cursor;
  }
  return items;
}
