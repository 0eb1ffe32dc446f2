import { open } from 'node:fs/promises';
import { say } from '../../lib/io.ts';
import { shellQuote } from '../../lib/shell-quote.ts';
import { escapeInvisible, escapeInvisibleLine, indented, shorten } from '../../lib/text/escape-invisible.ts';
import type { Services } from '../../services.ts';
import { type RunView, type TaskDetails, taskWithRuns } from '../../task-views.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { costOf, duration, facts, localTime, printJson, sayFacts, tookOf } from '../kit/print.ts';
import { shownView } from '../kit/stored.ts';
import { below, state, table, time } from '../kit/table.ts';

/** Describes a run: its command and folder, how it ended, and how to continue by hand. */
function runText(run: RunView, doing: string | null): string {
  const { folder, command_line: words, open_with: openWith, log_path: log } = run;
  const lines = facts([
    ['run', `${run.id}  ${run.state}`],
    ['agent', `${run.agent} (${run.runner})`],
    ['why', run.reason],
    ['cause', run.cause],
    ['started', run.started_at === null ? null : localTime(run.started_at)],
    ['took', ranFor(run)],
    ['folder', folder],
    ['command', words.length === 0 ? null : words.map(shellQuote).join(' ')],
    ['doing', doing],
    ['pid', run.state === 'running' && run.pid !== null ? String(run.pid) : null],
    ['exit', exitOf(run)],
    ['cost', costLine(run)],
    ['session', run.session_id],
    ...run.denials.map((denial) => ['refused', denial] as const),
    ['log', log === null ? null : `hookctl task logs ${run.id}`],
  ]);
  // Unchanged and on its own line, so that it can be pasted.
  return openWith === null ? lines : `${lines}\n  ${escapeInvisibleLine(escapeInvisible(openWith))}`;
}

/** Bytes read from the end of a log: more than any line has. */
const TAIL_BYTES = 64 * 1024;
const DOING_LENGTH = 200;

/** The last line in the log of a running run. Null when the log is empty or the run is over. */
async function lastSaid({ state, log_path: path }: RunView): Promise<string | null> {
  if (state !== 'running' || path === null) return null;
  const log = await open(path).catch(() => null);
  if (log === null) return null;
  try {
    const { size } = await log.stat();
    const start = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await log.read(Buffer.alloc(TAIL_BYTES), 0, TAIL_BYTES, start);
    const line = buffer.subarray(0, bytesRead).toString('utf8').trimEnd().split('\n').at(-1) ?? '';
    const { text } = JSON.parse(line) as { readonly text: string };
    return shorten(escapeInvisibleLine(text), DOING_LENGTH);
  } catch (error) {
    // The last line is incomplete, or missing.
    if (error instanceof SyntaxError) return null;
    throw error;
  } finally {
    await log.close();
  }
}

function ranFor({ started_at: from, ended_at: to }: RunView): string | null {
  return from === null || to === null ? null : duration(Date.parse(to) - Date.parse(from));
}

function exitOf({ exit_code: code, signal }: RunView): string | null {
  if (signal !== null) return `ended by ${signal}`;
  return code === null ? null : `status ${code}`;
}

function costLine(run: RunView): string | null {
  const turns = run.turns === null ? null : `${run.turns} turns`;
  const parts = [costOf({ ...run, duration_ms: null }), turns].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(', ');
}

export const configureShow: CliCommand = (command, runner) => {
  command
    .description('Show a task: its origin, status, prompt, runs and history.')
    .argument('<id>', 'task id')
    .option('--json', 'print one object')
    .examples('hookctl task show task-01jd9x3k2a7f3kq2')
    .action(runner.action(command, show));
};

async function show(app: Services, id: string, { json }: JsonFlags): Promise<0> {
  const { io } = app;
  const view = await shownView(app, 'task', id, { find: (store) => store.task(id), view: taskWithRuns });
  if (json === true) {
    printJson(io, view);
    return 0;
  }
  sayFacts(io.out, [
    ['task', view.id],
    ['title', view.title],
    ['status', view.status],
    ['agent', view.agent],
    ['about', view.external_id],
    ['url', view.url],
    ['flow', view.flow_id],
    ['conversation', view.conversation_id],
    ['owner', view.owner],
    ['command', view.command === null ? null : `${view.command} of ${view.webhook}`],
    ['delivery', view.delivery_id],
    ['sample', view.sample ? 'made by `hookctl trigger`' : null],
    ['parent', view.parent_task_id],
    ['created', `${localTime(view.created_at)} by ${view.source}`],
    ['started', view.started_at === null ? null : localTime(view.started_at)],
    ['ended', view.completed_at === null ? null : localTime(view.completed_at)],
    ['took', tookOf(view)],
    ['cost', costOf(view)],
    ...view.waits_for.map(
      ({ id: other, status, title }) => ['waits for', `${other}  ${status}  ${title}`] as const,
    ),
    ['claude task', claudeTask(view.source_metadata)],
    ['not synced', view.unsynced],
  ]);
  say(io.out, `\n${indented(view.prompt)}`);
  if (view.result !== null) say(io.out, `\n## Result\n\n${indented(view.result)}`);
  if (view.error !== null) say(io.out, `\n## Error\n\n${indented(view.error)}`);
  for (const run of view.runs) say(io.out, `\n${runText(run, await lastSaid(run))}`);
  const rows = view.transitions.map(({ at, event, to, actor, reason }) => [
    localTime(at),
    event,
    to,
    actor,
    reason ?? '',
  ]);
  say(io.out, `\n${await table(io.out, [time('when'), 'what', state('status'), 'who', below('why')], rows)}`);
  if (view.status === 'waiting_approval') say(io.err, `Next: hookctl task approve ${view.id}`);
  return 0;
}

function claudeTask({
  claude_list: entry,
  claude_task_id: record,
}: TaskDetails['source_metadata']): string | null {
  const { list, number } = (entry ?? {}) as { list?: string; number?: number };
  const place = number === undefined ? null : `#${number} in list ${list}`;
  return (
    [place, record === undefined ? null : `record ${record}`].filter((part) => part !== null).join(', ') ||
    null
  );
}
