import { getPath } from '../../lib/json.ts';
import type { JsonObject, Parsed } from '../../types.ts';
import { event } from '../kit/event.ts';
import { firstText, idAt, textAt, timeAt } from '../kit/payload.ts';
import { dataAuthorOf, senderOf, sessionAuthorOf } from './sender.ts';
import { issueOf, subjectOf } from './subject.ts';

/** Where each type keeps what a person wrote. */
const TEXTS: Readonly<Record<string, string>> = { Comment: 'body', Issue: 'description' };

/** How things that belong to no issue are called. */
const TITLES = [
  ['data', 'title'],
  ['data', 'name'],
  ['data', 'project', 'name'],
  ['data', 'initiative', 'name'],
] as const;

/** Reads a verified webhook: a change of data, or an event of a session with an agent. */
export function parse(payload: JsonObject): Parsed {
  const type = textAt(payload, 'type') ?? 'unknown';
  const action = textAt(payload, 'action');
  const issue = issueOf(payload);
  const parsed = event(payload, {
    type: action === null ? type : `${type}.${action}`,
    ...subjectOf(payload),
    sender: senderOf(payload),
    ...textOf(type, action, payload),
    title: textAt(issue, 'title') ?? firstText(TITLES.map((path) => textAt(payload, ...path))),
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

function textOf(type: string, action: string | null, payload: JsonObject) {
  if (type === 'AgentSessionEvent') {
    const written =
      action === 'created' ? ['agentSession', 'comment', 'body'] : ['agentActivity', 'content', 'body'];
    const text = textAt(payload, ...written);
    const author = text === null ? null : sessionAuthorOf(payload, action);
    const textId = text === null ? null : sessionTextId(action, payload);
    return { text, author, textFormat: 'linear', textId, writtenAt: timeAt(payload, 'createdAt') } as const;
  }
  const key = Object.hasOwn(TEXTS, type) ? (TEXTS[type] ?? null) : null;
  const isEdit = action === 'update' && key !== null && getPath(payload, ['updatedFrom', key]) !== undefined;
  const text = key !== null && (action === 'create' || isEdit) ? textAt(payload, 'data', key) : null;
  const author = text === null ? null : dataAuthorOf(payload);
  const id = idAt(payload, 'data', 'id');
  return {
    ...{ text, author },
    textFormat: 'linear',
    textOrigin: isEdit ? 'edited' : 'created',
    textId: text === null || id === null ? null : `linear.app/${type}/${id}`,
    writtenAt: timeAt(payload, 'data', isEdit ? 'updatedAt' : 'createdAt'),
  } as const;
}

/** What opens a session or goes on with it is a comment, of which `Comment.create` tells, too. */
function sessionTextId(action: string | null, payload: JsonObject): string | null {
  const comment =
    action === 'created'
      ? idAt(payload, 'agentSession', 'comment', 'id')
      : idAt(payload, 'agentActivity', 'sourceCommentId');
  const id = action === 'created' ? null : idAt(payload, 'agentActivity', 'id');
  return comment !== null
    ? `linear.app/Comment/${comment}`
    : id === null
      ? null
      : `linear.app/AgentActivity/${id}`;
}
