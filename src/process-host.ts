import { homedir, userInfo } from 'node:os';
import { outputStream, through } from './lib/io.ts';
import { createRedactor } from './lib/redact/redact.ts';
import type { Host, Signals } from './services.ts';

/** The running process as a `Host`: the one place that reads `process`. */
export function processHost(): Host {
  const { env } = process;
  const redactor = createRedactor(env);
  return {
    io: {
      out: outputStream(process.stdout, env),
      err: through(outputStream(process.stderr, env), redactor.redact),
    },
    redactor,
    env,
    cwd: process.cwd(),
    home: homedir(),
    pid: process.pid,
    user: userName(),
    stdin: () => process.stdin,
    signals: processSignals(),
  };
}

/** An id without a name in the system's list of users (in a container) has none. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** SIGHUP: the terminal was closed. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

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
