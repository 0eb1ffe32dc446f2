import { idAt, objectAt, textAt } from '../../lib/payload.ts';
import type { JsonObject } from '../../types.ts';

/** The issue itself, or the one that a comment, a session, a reaction belongs to. */
export function issueOf(payload: JsonObject): JsonObject | null {
  const data = objectAt(payload, 'data') ?? objectAt(payload, 'agentSession') ?? {};
  return textAt(payload, 'type') === 'Issue'
    ? data
    : (objectAt(data, 'issue') ?? objectAt(data, 'comment', 'issue'));
}

/**
 * `linear:acme/ENG-42`: the workspace stands only in the links, which older payloads of comments have where they lack
 * the identifier. Without a link, the issue by its own id.
 */
export function externalId(payload: JsonObject, issue: JsonObject | undefined): string | null {
  const links = [textAt(issue, 'url'), textAt(payload, 'url'), textAt(payload, 'agentSession', 'url')];
  const [, workspace, identifier] =
    links
      .map((link) => /^https:\/\/linear\.app\/([\w-]+)\/issue\/([\w]+-\d+)/.exec(link ?? ''))
      .find(Boolean) ?? [];
  if (workspace !== undefined) return `linear:${workspace.toLowerCase()}/${identifier}`;
  const id = idAt(issue, 'id') ?? idAt(payload, 'data', 'issueId');
  return id === null || /\s/.test(id) ? null : `linear:${id}`;
}
