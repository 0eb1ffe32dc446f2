import type { Repositories } from '../../config/project/repositories.ts';
import { LONGEST_TEXT } from '../../lib/text/index.ts';
import { issueWordsIn, namesIn } from '../../providers/links/issue-words.ts';
import type { Trust, Webhook, WebhookEvent } from '../../types.ts';
import { checkSender, checkTextSender } from '../rules/senders.ts';

/**
 * The lines of `repositories:` that an issue, or the text of a command, names: its task is for those, too. Only words of those who may
 * command count: a stranger's issue must not open a repository to an agent.
 */
export function repositoriesNamed(
  repositories: Repositories,
  { allow, providerName }: Pick<Webhook, 'allow' | 'providerName'>,
  event: WebhookEvent,
  trust: Trust | null,
): readonly string[] {
  if (repositories.isEmpty) return [];
  const { text, textFormat = 'markdown', sender, payload } = event;
  const named = (words: string, format: typeof textFormat) =>
    words.length > LONGEST_TEXT ? [] : repositories.namedIn(namesIn(words, format));
  const typed = text !== null && checkTextSender(allow, event, trust).allowed ? named(text, textFormat) : [];
  const issue = issueWordsIn(providerName, payload);
  if (issue === null || issue.authorId === null || trust === 'unverified') return typed;
  const { title, body, format, authorId: id, association } = issue;
  const account =
    sender?.id === id ? sender : { id, name: '', kind: 'person' as const, association, appId: null };
  const ofIssue = checkSender(allow, account).allowed
    ? [...named(title, 'plain'), ...named(body, format)]
    : [];
  return [...new Set([...typed, ...ofIssue])];
}
