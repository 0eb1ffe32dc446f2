import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { failure, notFound } from '../../errors.ts';
import { type Io, paint, say } from '../../lib/io.ts';
import { escapeInvisible } from '../../lib/text/escape-invisible.ts';
import type { ApiCall } from '../../mcp/backend.ts';
import type { Services } from '../../services.ts';
import type { taskWithRuns } from '../../task-views.ts';
import type { AgentRun } from '../../types.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { localTime } from '../kit/print.ts';
import { remoteCall } from '../kit/remote.ts';
import { storedReader } from '../kit/stored.ts';

interface LogsFlags extends JsonFlags {
  readonly follow?: boolean;
}

const POLL_MS = 200;

export const configureLogs: CliCommand = (command, runner) => {
  command
    .description('Show what an agent said and did in the newest run of a task, or in one run.')
    .argument('<id>', 'task or run id')
    .option('-f, --follow', 'follow the log until the run ends')
    .option('--json', 'print one object on each line: at, kind (said, did, output, note), text')
    .examples(
      'hookctl task logs task-01jd9x3k2a7f3kq2',
      'hookctl task logs -f task-01jd9x3k2a7f3kq2',
      'hookctl task logs --json run-01jd9x3k2a7f3kq2 | jq -r "select(.kind == \\"did\\").text"',
    )
    .action(runner.action(command, logs));
};

async function logs(app: Services, id: string, flags: LogsFlags): Promise<0> {
  const call = await remoteCall(app);
  if (call !== null) return remoteLogs(app, call, id, flags);
  const { follow, json } = flags;
  const run = runOf(app, id);
  const { logPath } = run;
  if (logPath === null) {
    throw failure('no_run', `${id} has not run yet: ${run.reason ?? run.state}`, {
      fix: `See why it waits: hookctl task show ${run.taskId}`,
    });
  }
  let ended = false;
  if (follow === true)
    void app.signals.next().then(() => {
      ended = true;
    });
  for (let from = 0; ; await delay(POLL_MS)) {
    // Looked up before reading, so that the last lines of a run are not missed.
    const isOver = follow !== true || ended || storedReader(app, id).run(run.id)?.endedAt !== null;
    from = await printFrom(app.io, logPath, from, json === true);
    if (isOver) return 0;
  }
}

/** The same from a server, which reads the log. */
async function remoteLogs(app: Services, call: ApiCall, id: string, { follow, json }: LogsFlags): Promise<0> {
  const runId = id.startsWith('run-') ? id : await newestRun(call, id);
  const stop = new AbortController();
  if (follow === true) void app.signals.next().then(() => stop.abort());
  for (let after = 0; ; ) {
    const path = `/api/runs/${encodeURIComponent(runId)}/log?after=${after}`;
    const { lines, next, ended } = await call<LogPart>({ method: 'GET', path });
    for (const entry of lines)
      say(app.io.out, json === true ? JSON.stringify(entry) : textOf(app.io.out, entry));
    if (next === after && (ended || follow !== true || stop.signal.aborted)) return 0;
    if (next === after) await delay(POLL_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    after = next;
  }
}

/** An answer of `GET /api/runs/:id/log`. */
interface LogPart {
  readonly lines: readonly Entry[];
  readonly next: number;
  readonly ended: boolean;
}

async function newestRun(call: ApiCall, taskId: string): Promise<string> {
  const path = `/api/tasks/${encodeURIComponent(taskId)}`;
  const { runs } = await call<ReturnType<typeof taskWithRuns>>({ method: 'GET', path });
  const newest = runs.at(-1);
  if (newest !== undefined) return newest.id;
  throw failure('no_run', `no agent of hookctl has run ${taskId}`);
}

function runOf(app: Services, id: string): AgentRun {
  const reader = app.reader();
  const run = reader?.run(id) ?? reader?.runsOfTask(id).at(-1) ?? null;
  if (run !== null) return run;
  if (reader?.task(id) == null) {
    throw notFound(
      `there is no task or run ${id} in ${app.located.dataFolder}`,
      'List them with `hookctl task list`.',
    );
  }
  throw failure('no_run', `no agent of hookctl has run ${id}`, {
    fix: 'webhooks.yml lists the agents that hookctl runs under `agents:`.',
  });
}

/** Prints the complete lines after a position in the file; returns the position after them. */
async function printFrom({ out }: Io, path: string, from: number, json: boolean): Promise<number> {
  let position = from;
  const stream = createReadStream(path, { start: from, encoding: 'utf8' });
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      const entry = entryOf(line);
      // An incomplete line: the next read gets all of it.
      if (entry === null) break;
      position += Buffer.byteLength(line) + 1;
      say(out, json ? line : textOf(out, entry));
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    if (from === 0) throw notFound(`the log ${path} is no longer there`);
  } finally {
    stream.destroy();
  }
  return position;
}

interface Entry {
  readonly at: string;
  readonly kind: string;
  readonly text: string;
}

function entryOf(line: string): Entry | null {
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return null;
  }
}

/** Indents the lines of one entry, so that none looks like another entry. */
const CONTINUED = `\n${' '.repeat(10)}`;

function textOf(out: Io['out'], { at, kind, text }: Entry): string {
  const [time, safe] = [localTime(at).slice(11), escapeInvisible(text).replaceAll('\n', CONTINUED)];
  if (kind === 'did') return `${time}  ${paint(out, 'cyan', `→ ${safe}`)}`;
  return `${time}  ${kind === 'note' ? paint(out, 'yellow', safe) : safe}`;
}
