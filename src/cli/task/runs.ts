import { open } from 'node:fs/promises';
import { shellQuote } from '../../lib/shell-quote.ts';
import { escapeInvisible, escapeInvisibleLine, shorten } from '../../lib/text/escape-invisible.ts';
import type { RunView } from '../../run-views.ts';
import { costOf, duration, facts, localTime } from '../kit/print.ts';

/** What a person wants to know of a run: what was started where, how it ended, and how to go on by hand. */
export function runText(run: RunView, doing: string | null): string {
  const { folder, command_line: words, open_with: openWith, log_path: log } = run;
  const lines = facts([
    ['run', `${run.id}  ${run.state}`],
    ['agent', `${run.agent} (${run.runner})`],
    ['why', run.reason],
    ['started', run.started_at === null ? null : localTime(run.started_at)],
    ['took', tookOf(run)],
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
  // On a line of its own, and with nothing changed in it: it is there to be pasted.
  return openWith === null ? lines : `${lines}\n  ${escapeInvisibleLine(escapeInvisible(openWith))}`;
}

/** Much more than a line has. */
const TAIL_BYTES = 64 * 1024;
const DOING_LENGTH = 200;

/** The last line in the log of a run that goes on; null: it has said nothing, or is over. */
export async function lastSaid({ state, log_path: path }: RunView): Promise<string | null> {
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
    // Half a line, or none yet.
    if (error instanceof SyntaxError) return null;
    throw error;
  } finally {
    await log.close();
  }
}

function tookOf({ started_at: from, ended_at: to }: RunView): string | null {
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
