import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { catchUp } from '../../src/store/local/catch-up.ts';
import { openReader } from '../../src/store/local/index.ts';
import type { StoreReader } from '../../src/store/store.ts';
import type { Delivery } from '../../src/types.ts';
import { type Ran, type Running, spawnCli } from './cli.ts';
import { eventually } from './eventually.ts';
import { onFileEnd } from './file-end.ts';
import type { Sandbox } from './sandbox.ts';

/** One line of `serve --json`. */
export interface ServeLine {
  readonly type: 'connection' | 'ready' | 'delivery' | 'task' | 'run' | 'state';
  readonly at: string;
  readonly [field: string]: unknown;
}

/** A running `hookctl serve --json`. */
export interface Server {
  readonly sandbox: Sandbox;
  readonly pid: number;
  readonly url: string;
  readonly port: number;
  readonly managementUrl: string;
  readonly managementPort: number;
  readonly running: Running;
  /** Every line so far. */
  lines(): readonly ServeLine[];
  /** Asks it to end, as Ctrl-C or a service manager would, and waits. */
  stop(signal?: NodeJS.Signals): Promise<Ran>;
}

/** Beside the rest of a test run a start may take long. */
const START_MS = 60_000;

const FREE_PORTS = ['--port', '0', '--management-port', '0'];

/** Starts `serve --json` on free ports and waits until it says that it is ready. */
export async function startServe(sandbox: Sandbox, ...args: readonly string[]): Promise<Server> {
  const running = spawnCli(sandbox, ['serve', '--json', ...FREE_PORTS, ...args]);
  const lines = () => parseLines(running.stdout());
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (running.child.exitCode === null && running.child.signalCode === null) running.child.kill(signal);
    return running.ended;
  };
  const ready = await Promise.race([
    eventually('the ready line', () => lines().find(({ type }) => type === 'ready'), START_MS),
    once(running.child, 'exit').then(() => null),
  ]);
  if (ready === null) throw new Error(`serve ended before it was ready: ${running.stderr()}`);
  const [url, managementUrl] = [String(ready.ingress_url), String(ready.management_url)];
  return {
    sandbox,
    pid: running.child.pid,
    url,
    port: Number(new URL(url).port),
    managementUrl,
    managementPort: Number(new URL(managementUrl).port),
    running,
    lines,
    stop,
  };
}

/** A server that ends with the running test. */
export async function serverForTest(sandbox: Sandbox, ...args: readonly string[]): Promise<Server> {
  const server = await startServe(sandbox, ...args);
  onTestFinished(async () => void (await server.stop('SIGKILL')));
  return server;
}

/** A server that ends with the file; call it in `beforeAll`. */
export async function serverForFile(sandbox: Sandbox, ...args: readonly string[]): Promise<Server> {
  const server = await startServe(sandbox, ...args);
  onFileEnd(() => server.stop('SIGKILL'));
  return server;
}

/** Starts `serve` as a person would see it, and waits for its last line before the first delivery. */
export async function startHumanServe(sandbox: Sandbox, ...args: readonly string[]): Promise<Running> {
  const running = spawnCli(sandbox, ['serve', ...FREE_PORTS, ...args]);
  onTestFinished(async () => {
    running.child.kill('SIGKILL');
    await running.ended;
  });
  await eventually(
    'the readiness line',
    () => /^Ready on [\s\S]*\(management .+\)$/m.test(running.stderr()),
    START_MS,
  );
  return running;
}

/** Looks into a sandbox's store, whether or not a server runs on it. */
export function readStore<T>({ dataFolder }: Sandbox, look: (reader: StoreReader) => T): T {
  const path = join(dataFolder, 'hookctl.db');
  catchUp(path);
  const reader = openReader({ path });
  if (reader === null) throw new Error(`nothing is stored in ${dataFolder}`);
  try {
    return look(reader);
  } finally {
    reader.close();
  }
}

/** A delivery once it is no longer pending. */
export function settled(sandbox: Sandbox, id: string): Promise<Delivery> {
  return eventually(`${id} to be worked off`, () => {
    const delivery = readStore(sandbox, (reader) => reader.delivery(id));
    return delivery?.status === 'pending' ? null : delivery;
  });
}

/** The management token of a sandbox's data folder. */
export function tokenOf({ dataFolder }: Sandbox): string {
  return readFileSync(join(dataFolder, 'token'), 'utf8').trim();
}

function parseLines(text: string): readonly ServeLine[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ServeLine);
}
