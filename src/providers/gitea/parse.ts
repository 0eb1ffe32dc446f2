import type { EventAuthor, JsonObject, Parsed } from '../../types.ts';
import { event } from '../generic/event.ts';
import type { ReadContext } from '../generic/preset.ts';
import { hostOf, idAt, objectAt, textAt, timeAt } from '../kit/payload.ts';
import { eventName, shapeMismatch } from './event-shape.ts';
import { senderOf } from './sender.ts';
import { externalId, stableIds, titleOf, urlOf } from './subject.ts';

/** Where each event keeps what a person wrote, and the action on which it was written. */
const TEXTS: Readonly<Record<string, { readonly created: string; readonly at: readonly string[] }>> = {
  issue_comment: { created: 'created', at: ['comment', 'body'] },
  issues: { created: 'opened', at: ['issue', 'body'] },
  pull_request: { created: 'opened', at: ['pull_request', 'body'] },
  pull_request_approved: { created: 'reviewed', at: ['review', 'content'] },
  pull_request_comment: { created: 'reviewed', at: ['review', 'content'] },
  pull_request_rejected: { created: 'reviewed', at: ['review', 'content'] },
};

/** Reads a verified request of Gitea, Forgejo or Gogs. */
export function parse(payload: JsonObject, { request }: ReadContext): Parsed {
  const name = eventName(request.headers);
  if (name === null) return { ok: false, reason: 'the X-Gitea-Event header is missing or no event name' };
  const problem = shapeMismatch(name, payload);
  if (problem !== null) return { ok: false, reason: problem };
  const action = textAt(payload, 'action');
  const texts = Object.hasOwn(TEXTS, name) ? TEXTS[name] : undefined;
  const isEdit = action === 'edited' && objectAt(payload, 'changes', 'body') !== null;
  const isText = texts !== undefined && (action === texts.created || isEdit);
  const parsed = event(payload, {
    type: action === null ? name : `${name}.${action}`,
    externalId: externalId(payload),
    stableIds: stableIds(payload),
    sender: senderOf(payload),
    text: isText ? textAt(payload, ...texts.at) : null,
    author: isText ? authorOf(payload, texts.at) : null,
    textOrigin: action === 'edited' ? 'edited' : 'created',
    ...(isText && writingOf(payload, texts.at, action === 'edited')),
    title: titleOf(payload),
    url: urlOf(payload),
  });
  return { ok: true, events: [parsed], semanticKeys: [] };
}

/** The id of a text, unique in the instance, and when it was written. A review has neither. */
function writingOf(payload: JsonObject, [place = '']: readonly string[], isEdit: boolean) {
  const id = idAt(payload, place, 'id');
  const host = hostOf(textAt(payload, 'repository', 'html_url')) ?? '';
  return {
    textId: id === null ? null : `${host}/${place}/${id}`,
    writtenAt: timeAt(payload, place, isEdit ? 'updated_at' : 'created_at'),
  };
}

/** Who wrote a text: the `user` beside it. A review names nobody beside the sender. */
function authorOf(payload: JsonObject, [place = '']: readonly string[]): EventAuthor | null {
  const user = place === 'review' ? ['sender'] : [place, 'user'];
  const id = idAt(payload, ...user, 'id');
  return id === null ? null : { id, name: textAt(payload, ...user, 'login') ?? id };
}
