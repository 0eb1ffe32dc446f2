import { homedir } from 'node:os';
import type { Host, Signals } from './app.ts';
import { outputStream } from './lib/io.ts';

/** The running process as a `Host`: the one place that reads `process`. */
export function processHost(): Host {
  const { env } = process;
  return {
    io: { out: outputStream(process.stdout, env), err: outputStream(process.stderr, env) },
    env,
    cwd: process.cwd(),
    home: homedir(),
    pid: process.pid,
    stdin: process.stdin,
    signals: processSignals(),
  };
}

const ENDING = ['SIGINT', 'SIGTERM'] as const;

function processSignals(): Signals {
  return {
    next: () =>
      new Promise((resolve) => {
        const end = (signal: NodeJS.Signals) => {
          resolve(signal);
          // Not at once: the listener of proper-lockfile ends the process when it finds itself the only one.
          queueMicrotask(() => {
            for (const name of ENDING) process.off(name, end);
          });
        };
        for (const name of ENDING) process.on(name, end);
      }),
    die: (signal) => void process.kill(process.pid, signal),
  };
}
