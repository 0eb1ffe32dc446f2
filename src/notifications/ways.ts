import { resolve } from 'node:path';
import { failure } from '../errors.ts';
import {
  describeEnd,
  type Environment,
  programEnvironment,
  startProcess,
} from '../lib/process/subprocess.ts';
import { unlinked } from '../lib/text/escape-invisible.ts';
import type { Transport } from '../outbox/transport.ts';
import { escapeText } from '../providers/slack/text.ts';
import { foreignText, joinTexts, ownText } from '../types/text.ts';
import type { Account, NewOutgoing, TaskStatus } from '../types.ts';
import type { Notified, NotifySettings } from './settings.ts';

/** What a person is told. Its texts may hold words of a payload or of an agent: each way passes them on as data. */
export interface Notification {
  readonly event: Notified;
  /** One line. */
  readonly title: string;
  readonly text: string;
  readonly url: string | null;
  readonly taskId: string | null;
  /** The task's status; null without a task. */
  readonly status: TaskStatus | null;
}

/** What the ways to a person work with. */
export interface Surroundings {
  readonly transport: Transport;
  readonly projectFolder: string;
  readonly env: Environment;
  /** Slack's account; null when it has no token. */
  readonly slack: Account | null;
  /** Posts at Slack through the outbox, so that the post can have buttons and follow its task. */
  readonly post: (item: Omit<NewOutgoing, 'id'>) => Promise<void>;
}

type Settings<Use extends NotifySettings['use']> = Extract<NotifySettings, { use: Use }>;
type Ways = {
  readonly [Use in NotifySettings['use']]: (
    settings: Settings<Use>,
    notification: Notification,
    surroundings: Surroundings,
  ) => Promise<void>;
};

/** A program that shows a notification has to be done within this time. */
const LONGEST_MS = 30_000;

/** One entry, one way to a person. Each throws when the notification did not arrive. */
const ways: Ways = {
  async command({ program, args }, notification, { projectFolder, env }) {
    const { taskId, status: _, ...said } = notification;
    const input = Buffer.from(`${JSON.stringify({ ...said, task_id: taskId })}\n`);
    const path = program.includes('/') ? resolve(projectFolder, program) : program;
    await runShort(path, args, env, projectFolder, input);
  },

  async slack({ channel }, { title, text, url, taskId, status }, { transport, slack, post }) {
    if (slack === null) {
      throw failure('no_account', 'Slack has no token', {
        fix: 'Set SLACK_BOT_TOKEN, or credentials.slack.',
      });
    }
    if (taskId !== null) {
      const more = [text, url ?? ''].filter((each) => each !== '').map((each) => `\n${unlinked(each)}`);
      const content = joinTexts(
        ownText('**'),
        foreignText(unlinked(title)),
        ownText('**'),
        ...more.map(foreignText),
      );
      const place = { host: null, channel };
      const fixed = { kind: 'comment' as const, edits: null, privateNetwork: false };
      return post({ ...fixed, place, content, buttonsOf: taskId, buttonsAt: status });
    }
    const lines = [`*${escapeText(title)}*`, escapeText(text), url === null ? '' : escapeText(url)];
    const answer = await transport.send({
      method: 'POST',
      url: `${slack.baseUrl}/chat.postMessage`,
      headers: {
        authorization: `Bearer ${slack.token.reveal()}`,
        'content-type': 'application/json; charset=utf-8',
      },
      body: JSON.stringify({
        channel,
        text: lines.filter((line) => line !== '').join('\n'),
        unfurl_links: false,
      }),
      privateNetwork: slack.privateNetwork,
    });
    // Slack says 200 to what it refuses.
    const refused = /"ok"\s*:\s*false.*?"error"\s*:\s*"(\w+)"/s.exec(answer.text)?.[1];
    if (answer.status !== 200 || refused !== undefined) {
      throw failure('notify_refused', `Slack answered ${refused ?? answer.status}`);
    }
  },

  async ntfy({ topic, url, tokenEnv }, { event, title, text, url: click }, { transport, env }) {
    const token = tokenEnv === undefined ? undefined : env[tokenEnv];
    if (tokenEnv !== undefined && token === undefined) {
      throw failure('no_account', `${tokenEnv} is not set`, { fix: `Set ${tokenEnv}, or remove tokenEnv.` });
    }
    const isUrgent = event === 'approval' || event === 'failed';
    const answer = await transport.send({
      method: 'POST',
      // JSON goes to the root of the server, so that no text gets into a header.
      url,
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({
        topic,
        title,
        message: text || title,
        priority: isUrgent ? 4 : 3,
        ...(click !== null && { click }),
      }),
      privateNetwork: true,
    });
    if (answer.status !== 200) throw failure('notify_refused', `${url} answered ${answer.status}`);
  },

  async desktop(_, { title, text }, { projectFolder, env }) {
    const mac = 'on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run';
    const [program, args] =
      process.platform === 'darwin'
        ? (['osascript', ['-e', mac, '--', title, text]] as const)
        : (['notify-send', ['--app-name=hookctl', '--', title, escapeText(text)]] as const);
    const fix =
      'Start `hookctl serve` in a desktop session (DISPLAY, DBUS_SESSION_BUS_ADDRESS), or choose another way.';
    await runShort(program, args, env, projectFolder, new Uint8Array(), fix);
  },
};

async function runShort(
  program: string,
  args: readonly string[],
  env: Environment,
  cwd: string,
  input: Uint8Array,
  fix?: string,
): Promise<void> {
  const desktop = ['DISPLAY', 'WAYLAND_DISPLAY', 'DBUS_SESSION_BUS_ADDRESS', 'XAUTHORITY'];
  const running = await startProcess({
    ...{ program, args, cwd, input },
    env: programEnvironment(env, ...desktop),
    howToGet: 'Install it, or correct `notify` in webhooks.yml.',
  });
  const timer = setTimeout(() => void running.stop(), LONGEST_MS);
  const end = await running.ended;
  clearTimeout(timer);
  if (end.code === 0) return;
  const said = describeEnd(program, end, running.lastLines());
  throw failure('notify_failed', said, fix === undefined ? {} : { fix });
}

/** Sends a notification one way. */
export function notifyBy(
  settings: NotifySettings,
  notification: Notification,
  surroundings: Surroundings,
): Promise<void> {
  switch (settings.use) {
    case 'command':
      return ways.command(settings, notification, surroundings);
    case 'slack':
      return ways.slack(settings, notification, surroundings);
    case 'ntfy':
      return ways.ntfy(settings, notification, surroundings);
    case 'desktop':
      return ways.desktop(settings, notification, surroundings);
    default:
      return settings satisfies never;
  }
}
