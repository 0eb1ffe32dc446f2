import type { GithubApps } from '../../github-app/apps.ts';
import type { GithubApp } from '../../github-app/record.ts';
import { hostOf, idAt, textAt } from '../../providers/kit/payload.ts';
import type { Parsed, Webhook, WebhookEvent } from '../../types.ts';

/** What a request says, with a mark on the events that hookctl's own App caused. */
export function withOwnActs(
  apps: Pick<GithubApps, 'list' | 'of'>,
  { providerName }: Pick<Webhook, 'providerName'>,
  parsed: Parsed,
): Parsed {
  if (!parsed.ok || providerName !== 'github' || apps.list().length === 0) return parsed;
  const mark = (event: WebhookEvent): WebhookEvent => {
    const app = apps.of(hostOf(textAt(event.payload, 'repository', 'html_url')));
    return app !== null && isOwnAct(app, event) ? { ...event, isOwn: true } : event;
  };
  return { ...parsed, events: parsed.events.map(mark) };
}

/** What the App posts: texts, labels, and its checks but for clicks on them. What agents push with its tokens is new work. */
const POSTS =
  /^(?:issue_comment|pull_request_review(?:_comment)?|commit_comment|discussion_comment)\.|\.(?:un)?labeled$/;

function isOwnAct(
  { id, botId }: GithubApp,
  { type, sender, author, text, isClick, payload }: WebhookEvent,
): boolean {
  if (type.startsWith('check_run.'))
    return isClick !== true && idAt(payload, 'check_run', 'app', 'id') === id;
  const isBot = sender?.kind === 'bot' && (sender.id === botId || sender.appId === id);
  return isBot && (POSTS.test(type) || (text !== null && author?.id === sender.id));
}
