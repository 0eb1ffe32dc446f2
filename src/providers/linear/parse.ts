import { getPath } from '../../lib/json.ts';
import { idAt, objectAt, textAt } from '../../lib/payload.ts';
import type { JsonObject } from '../../types.ts';
import { event } from '../generic/event.ts';
import type { Parsed } from '../provider.ts';
import { senderOf } from './sender.ts';

/** Where each type keeps what a person wrote. */
const TEXTS: Readonly<Record<string, string>> = { Comment: 'body', Issue: 'description' };

/** Reads a verified webhook: a change of data, or an event of a session with an agent. */
export function parse(payload: JsonObject): Parsed {
  const type = textAt(payload, 'type') ?? 'unknown';
  const action = textAt(payload, 'action');
  const issue = issueOf(payload) ?? undefined;
  const parsed = event(payload, {
    type: action === null ? type : `${type}.${action}`,
    externalId: externalId(payload, issue),
    sender: senderOf(payload),
    ...textOf(type, action, payload),
    title: textAt(issue, 'title'),
    url: textAt(payload, 'url') ?? textAt(issue, 'url'),
  });
  const id = idAt(payload, 'data', 'id');
  // A retry is signed anew: the time in its body is another one.
  return {
    ok: true,
    events: [parsed],
    semanticKeys: action === 'create' && id !== null ? [`${type}:${id}`] : [],
  };
}

/** The issue itself, or the one that a comment, a session, a reaction belongs to. */
export function issueOf(payload: JsonObject): JsonObject | null {
  const data = objectAt(payload, 'data') ?? objectAt(payload, 'agentSession') ?? {};
  return textAt(payload, 'type') === 'Issue'
    ? data
    : (objectAt(data, 'issue') ?? objectAt(data, 'comment', 'issue'));
}

function textOf(type: string, action: string | null, payload: JsonObject) {
  if (type === 'AgentSessionEvent') {
    const written =
      action === 'created' ? ['agentSession', 'comment', 'body'] : ['agentActivity', 'content', 'body'];
    return { text: textAt(payload, ...written) };
  }
  const key = Object.hasOwn(TEXTS, type) ? (TEXTS[type] ?? null) : null;
  const isEdit = action === 'update' && key !== null && getPath(payload, ['updatedFrom', key]) !== undefined;
  const text = key !== null && (action === 'create' || isEdit) ? textAt(payload, 'data', key) : null;
  return { text, textOrigin: isEdit ? 'edited' : 'created' } as const;
}

/**
 * `linear:acme/ENG-42`: the workspace stands only in the links, which older payloads of comments have where they lack
 * the identifier. Without a link, the issue by its own id.
 */
function externalId(payload: JsonObject, issue: JsonObject | undefined): string | null {
  const links = [textAt(issue, 'url'), textAt(payload, 'url'), textAt(payload, 'agentSession', 'url')];
  const [, workspace, identifier] =
    links
      .map((link) => /^https:\/\/linear\.app\/([\w-]+)\/issue\/([\w]+-\d+)/.exec(link ?? ''))
      .find(Boolean) ?? [];
  if (workspace !== undefined) return `linear:${workspace.toLowerCase()}/${identifier}`;
  const id = idAt(issue, 'id') ?? idAt(payload, 'data', 'issueId');
  return id === null || /\s/.test(id) ? null : `linear:${id}`;
}
