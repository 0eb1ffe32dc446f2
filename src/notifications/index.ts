import { HookctlError, messageOf } from '../errors.ts';
import { commandLine } from '../lib/shell-quote.ts';
import { escapeInvisible, escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
import { pause } from '../lib/time.ts';
import { PERMISSION_AGENT, type Task } from '../types.ts';
import type { NotifySettings } from './settings.ts';
import { type Notification, notifyBy, type Surroundings } from './ways.ts';

interface NotificationsOptions extends Surroundings {
  readonly ways: readonly NotifySettings[];
  /** Takes secrets out of what leaves. */
  readonly redact: (text: string) => string;
  /** Called when a notification did not arrive, after all tries. */
  readonly failed: (text: string) => void;
}

export interface Notifications {
  /** A task was made or has moved on. */
  task(task: Task): void;
  /** A task that waits at a start: tells it in each channel of Slack that has no post of it, which a kill may have prevented. */
  missed(task: Task, channels: ReadonlySet<string>): void;
  /** A budget is spent to 80 %, or used up. */
  budget(text: string): void;
  /** Resolves when what is under way has arrived or is given up. */
  close(): Promise<void>;
}

const TITLE_LENGTH = 120;
const TEXT_LENGTH = 1_000;
/** Before the second and the third try, in milliseconds. */
const RETRY_MS = [1_000, 10_000];
/** Tasks whose last status is remembered, so that it is told once. */
const REMEMBERED = 1_000;

/** Tells a person what `notify:` of webhooks.yml names, each way by itself. */
export function createNotifications(options: NotificationsOptions): Notifications {
  const { ways, redact, failed } = options;
  const told = new Map<string, string>();
  const stop = new AbortController();
  const running = new Set<Promise<void>>();

  async function send(way: NotifySettings, notification: Notification): Promise<void> {
    for (let tried = 0; ; tried += 1) {
      try {
        return await notifyBy(way, notification, options);
      } catch (error) {
        const wait = RETRY_MS[tried];
        if (wait === undefined || !(await pause(wait, stop.signal))) {
          const fix = error instanceof HookctlError && error.fix !== null ? `. ${error.fix}` : '';
          return failed(`notify ${way.use}: ${notification.title}: ${messageOf(error)}${fix}`);
        }
      }
    }
  }

  function tell({ title, text, ...facts }: Notification, to = ways): void {
    const notification = {
      ...facts,
      title: shorten(escapeInvisibleLine(redact(title)), TITLE_LENGTH),
      text: shorten(escapeInvisible(redact(text)), TEXT_LENGTH),
    };
    for (const way of to.filter(({ on }) => on.includes(facts.event))) {
      const sending = send(way, notification).finally(() => running.delete(sending));
      running.add(sending);
    }
  }

  function tellTask(task: Task, to = ways): void {
    if (task.isSample || told.get(task.id) === task.status) return;
    told.delete(task.id);
    told.set(task.id, task.status);
    const [oldest] = told.keys();
    if (told.size > REMEMBERED && oldest !== undefined) told.delete(oldest);
    const notification = notificationOf(task);
    if (notification !== null) tell(notification, to);
  }

  return {
    task: (task) => tellTask(task),
    missed(task, channels) {
      const to = ways.filter((way) => way.use === 'slack' && !channels.has(way.channel));
      if (to.length > 0) tellTask(task, to);
    },
    budget: (text) => tell({ event: 'budget', title: 'Budget', text, url: null, taskId: null, status: null }),
    async close() {
      stop.abort();
      await Promise.all(running);
    },
  };
}

/** Null when the task's status is nothing that a person has to know. */
function notificationOf({ id, title, status, result, error, url, agent, prompt }: Task): Notification | null {
  const isPermission = agent === PERMISSION_AGENT;
  if (isPermission && status !== 'waiting_approval') return null;
  const facts = { url, taskId: id, status };
  switch (status) {
    case 'waiting_approval': {
      const line = commandLine('hookctl', 'task', 'approve', id);
      const text = isPermission ? `${prompt}\n${line}` : line;
      return { event: 'approval', title: `Approval needed: ${title}`, text, ...facts };
    }
    case 'waiting_answer':
      return {
        event: 'approval',
        title: `Answer needed: ${title}`,
        text: commandLine('hookctl', 'task', 'answer', id),
        ...facts,
      };
    case 'failed':
      return { event: 'failed', title: `Failed: ${title}`, text: error ?? '', ...facts };
    case 'completed':
      return { event: 'done', title: `Done: ${title}`, text: result ?? '', ...facts };
    default:
      return null;
  }
}
