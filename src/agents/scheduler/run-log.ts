import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogLine } from '../runner.ts';

/** A log is for reading: of a run that says more, the rest is left out. */
const MOST_BYTES = 5_000_000;

/** What a run says and does, as JSON lines: `{ at, kind, text }`. */
interface RunLog {
  add(line: LogLine): void;
  /** Resolves when everything is in the file. */
  close(): Promise<void>;
}

/** Where the log of a run lies. */
export function runLogPath(dataFolder: string, runId: string): string {
  return join(dataFolder, 'runs', `${runId}.log`);
}

/** Removes logs that nobody wrote to since then. */
export async function pruneRunLogs(dataFolder: string, before: number): Promise<void> {
  const folder = join(dataFolder, 'runs');
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const path = join(folder, name);
    const stats = await stat(path).catch(() => null);
    if (stats !== null && stats.mtimeMs < before) await rm(path, { force: true });
  }
}

/** Removes the logs of runs whose tasks are gone. */
export async function removeRunLogs(
  dataFolder: string,
  runs: readonly { readonly id: string }[],
): Promise<void> {
  for (const { id } of runs) await rm(runLogPath(dataFolder, id), { force: true });
}

export async function openRunLog(path: string, now: () => number): Promise<RunLog> {
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
  let bytes = 0;
  // A full disk must not end the run: what it comes to is in the store.
  stream.on('error', () => undefined);
  const write = ({ kind, text }: LogLine) => {
    const line = `${JSON.stringify({ at: new Date(now()).toISOString(), kind, text })}\n`;
    bytes += Buffer.byteLength(line);
    stream.write(line);
  };
  return {
    add(line) {
      if (bytes > MOST_BYTES) return;
      write(line);
      if (bytes > MOST_BYTES) write({ kind: 'note', text: `the log ends here: over ${MOST_BYTES / 1e6} MB` });
    },
    close: () => new Promise((resolve) => stream.end(resolve)),
  };
}
