import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

/** Which half of the machine a program runs on. `any`: where it is about a moment, not about how much gets done. */
export type Side = 'server' | 'generator' | 'any';

export interface Start {
  readonly side: Side;
  readonly command: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that goes on until it is stopped. */
export interface Started {
  readonly pid: number;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** A program that listens. */
export interface Listening extends Started {
  /** What the first line that fits says. */
  readonly ready: Readonly<Record<string, unknown>>;
}

/** How a program ended that was waited for. */
export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly ms: number;
}

/** Starts programs, each on its side, and ends them all. */
export interface Programs {
  /** Why servers and generator share cores; null: they do not. */
  readonly shared: string | null;
  /** Starts a program that does not say when it listens. */
  start(start: Start): Started;
  /** Resolves with the first line of JSON on stdout that `isReady` takes. */
  listen(start: Start, isReady?: (line: Readonly<Record<string, unknown>>) => boolean): Promise<Listening>;
  /** One that takes longer than ten minutes is killed. */
  run(start: Start): Promise<Ended>;
  stopAll(): Promise<void>;
}

const PATIENCE_MS = 600_000;
const READY_MS = 120_000;
const STOP_MS = 30_000;

/** One core each, so that neither takes time from the other. */
const CORES: Readonly<Record<Side, string>> = {
  server: '0',
  generator: '1',
  any: `0-${cpus().length - 1}`,
};

export function createPrograms(): Programs {
  const running = new Set<ChildProcess>();
  const shared = cannotPin();
  // The run itself only waits and looks; it must not do so on the core that serves.
  if (shared === null) spawnSync('taskset', ['-cp', CORES.generator, String(process.pid)]);

  function launch({ side, command, cwd, env }: Start) {
    const [program = '', ...args] = shared === null ? ['taskset', '-c', CORES[side], ...command] : command;
    const child = spawn(program, args, {
      ...(cwd !== undefined && { cwd }),
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    return child;
  }

  async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await once(child, 'exit');
    clearTimeout(limit);
  }

  function started(child: ChildProcess): Started {
    return { pid: child.pid ?? 0, stop: (signal) => stop(child, signal) };
  }

  return {
    shared,
    start(options) {
      const child = launch(options);
      child.stdout.resume();
      child.stderr.resume();
      return started(child);
    },
    async listen(options, isReady = () => true) {
      const child = launch(options);
      const talk = text(child.stderr);
      const limit = setTimeout(() => child.kill('SIGKILL'), READY_MS);
      const ready = await new Promise<Record<string, unknown>>((resolve, reject) => {
        createInterface({ input: child.stdout }).on('line', (line) => {
          if (!line.startsWith('{')) return;
          const value = JSON.parse(line) as Record<string, unknown>;
          if (isReady(value)) resolve(value);
        });
        child.once('exit', async () =>
          reject(new Error(`${options.command.join(' ')} ended: ${await talk}`)),
        );
      });
      clearTimeout(limit);
      return { ...started(child), ready };
    },
    async run(options) {
      const begin = performance.now();
      const child = launch(options);
      const limit = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
      const output = Promise.all([text(child.stdout), text(child.stderr)]);
      const [code] = (await once(child, 'exit')) as [number | null];
      const ms = performance.now() - begin;
      clearTimeout(limit);
      const [stdout, stderr] = await output;
      return { stdout, stderr, code, ms };
    },
    async stopAll() {
      await Promise.all([...running].map((child) => stop(child, 'SIGKILL')));
    },
  };
}

function cannotPin(): string | null {
  if (availableParallelism() < 2) return 'there is one core';
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'there is no taskset';
  }
}
