import { connect } from 'node:net';
import { messageOf } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';
import { isWatched, newsFor } from './watch.ts';

/** How long a session may take to read its inbox. */
const PATIENCE_MS = 5_000;

interface PushOrder {
  readonly agent: string | null;
  readonly signal: AbortSignal;
}

/**
 * Tells the Claude Code session that started this process of new tasks, by its inbox: where `claude install --push` was
 * asked for, and no monitor of the session does it. `next_event` has everything, so a message that is lost loses nothing.
 */
export async function pushToInbox(app: Services, order: PushOrder): Promise<void> {
  const {
    HOOKCTL_PUSH,
    HOOKCTL_RUN_ID,
    CLAUDE_CODE_MESSAGING_SOCKET: path,
    CLAUDE_CODE_MESSAGING_TOKEN: token,
  } = app.env;
  if (HOOKCTL_PUSH !== '1' || HOOKCTL_RUN_ID !== undefined || path === undefined || token === undefined)
    return;
  for await (const line of unwatchedNews(app, order)) {
    await send(path, token, line).catch((error: unknown) =>
      say(app.io.err, `hookctl mcp: ${messageOf(error)}`),
    );
  }
}

/** Lines about new tasks and events while no monitor of this session tells it of them. */
export async function* unwatchedNews(app: Services, { agent, signal }: PushOrder): AsyncGenerator<string> {
  for await (const line of newsFor(app, agent, signal)) if (!(await isWatched(app))) yield line;
}

/** Two lines: who sends, and the message (Claude Code 2.1.332; the format is not documented). */
function send(path: string, token: string, content: string): Promise<void> {
  const lines = [
    { type: 'auth', token },
    { type: 'user', message: { role: 'user', content } },
  ];
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('the session did not take a message')));
    socket.once('error', reject).once('close', () => resolve());
    socket.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  });
}
