import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { defaultProject, readProject } from '../../config/project/schema.ts';
import { say } from '../../lib/io.ts';
import { newsOf } from '../../mcp/news.ts';
import type { ServiceFlags, Services } from '../../services.ts';
import type { Task } from '../../types.ts';
import type { CliCommand } from '../kit/command.ts';

interface WatchFlags extends ServiceFlags {
  readonly agent?: string;
}

/** `hookctl claude watch`: what the monitor of the plugin of `claude install --push` runs. */
export const configureWatch: CliCommand = (command, runner) => {
  command
    .description(
      'Print one short line for each new task or event, until it is ended; the plugin of `claude install --push` runs it.',
    )
    .option('--agent <name>', 'only tasks for this agent; default: for all that hookctl does not run itself')
    .examples('hookctl claude watch', 'hookctl claude watch --agent planning')
    .action(runner.action(command, watch));
};

async function watch(app: Services, { agent }: WatchFlags): Promise<0> {
  // A session that hookctl runs has a task already.
  if (app.env.HOOKCTL_RUN_ID !== undefined) return 0;
  const stop = new AbortController();
  void app.signals.next().then(() => stop.abort());
  const marker = markerFile(app);
  if (marker !== null) {
    await mkdir(dirname(marker), { recursive: true, mode: 0o700 });
    await writeFile(marker, String(app.pid), { mode: 0o600 });
  }
  try {
    for await (const line of newsFor(app, agent ?? null, stop.signal)) say(app.io.out, line);
  } finally {
    if (marker !== null) await rm(marker, { force: true });
  }
  return 0;
}

/** Lines about tasks for an agent; null means all agents that hookctl does not run itself. */
export async function* newsFor(
  app: Services,
  agent: string | null,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { projectFile } = app.located;
  const project = projectFile === null ? defaultProject() : (await readProject(projectFile)).project;
  const isMine = (task: Task) => (agent === null ? !(task.agent in project.agents) : task.agent === agent);
  yield* newsOf({
    async look(ask, nothing) {
      const store = app.reader();
      return store === null ? nothing : ask(store);
    },
    isMine,
    signal,
  });
}

/** Whether a monitor of this Claude Code session tells it of tasks already. */
export async function isWatched(app: Services): Promise<boolean> {
  const marker = markerFile(app);
  const pid = marker === null ? Number.NaN : Number(await readFile(marker, 'utf8').catch(() => ''));
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A file by which the other programs of this session know of its monitor; null outside of a session. */
function markerFile({ env, located }: Services): string | null {
  const { CLAUDE_CODE_MESSAGING_SOCKET: session = '' } = env;
  if (session === '') return null;
  const name = createHash('sha256').update(session).digest('hex').slice(0, 16);
  return join(located.dataFolder, 'claude-watch', name);
}
