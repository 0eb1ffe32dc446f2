import { getPath } from '../../lib/json.ts';
import type { EventAuthor, Headers, JsonObject, Parsed, Sender } from '../../types.ts';
import { accountSender, event } from '../kit/event.ts';
import { shapeMismatch } from '../kit/event-shape.ts';
import { hostOf, idAt, objectAt, textAt, timeAt } from '../kit/payload.ts';
import type { ReadContext } from '../provider.ts';
import { externalId, stableIds, titleOf, urlOf } from './subject.ts';

/**
 * Accounts that Gitea and Forgejo keep for themselves have ids below 1: Ghost (-1, who was deleted), gitea-actions and
 * forgejo-actions (-2, workflows). Their names are reserved. Source: go-gitea/gitea `models/user/user_system.go`, Forgejo's copy of it.
 */
const MACHINES = ['ghost', 'gitea-actions', 'forgejo-actions'];

/**
 * Who acted. Gitea tells no role; but the owner of a repository is named in it, and in a private one only those whom
 * the owner let in can do anything. In a public one anybody may write: no association.
 */
function senderOf(payload: JsonObject): Sender | null {
  const id = idAt(payload, 'sender', 'id');
  const name = textAt(payload, 'sender', 'login') ?? textAt(payload, 'sender', 'username');
  if (id === null || name === null) return null;
  const isBot = Number(id) <= 0 || MACHINES.includes(name.toLowerCase());
  // Of a fork, which anybody may make, `repository` is the new one, and its owner a stranger.
  const place = objectAt(payload, 'forkee') ?? objectAt(payload, 'repository');
  const isOwner = id === idAt(place, 'owner', 'id');
  const isPrivate = getPath(place, ['private']) === true;
  const association = isOwner ? 'owner' : isPrivate ? 'member' : null;
  return accountSender({ id, name }, { isBot, association });
}

/** The login of the nearest `user` above the value; a review is by the sender. */
export function authorOf(payload: JsonObject, path: readonly string[]): string | null {
  if (path[0] === 'review') return textAt(payload, 'sender', 'login');
  const places = path.slice(0, -1).map((_, index) => path.slice(0, path.length - 1 - index));
  const logins = places.map((place) => textAt(payload, ...place, 'user', 'login'));
  return logins.find((login) => login !== null) ?? null;
}

/** The same event under three names, in the order in which the forks add theirs. */
const HEADERS = ['x-forgejo-event', 'x-gitea-event', 'x-gogs-event'] as const;

/** The name is outside the signature: a captured comment could otherwise be sent again as an issue, and match other commands. */
const SHAPES: Parameters<typeof shapeMismatch>[0] = {
  required: {
    create: ['ref', 'ref_type'],
    delete: ['ref', 'ref_type'],
    fork: ['forkee'],
    issue_comment: ['comment'],
    issues: ['issue'],
    pull_request: ['pull_request'],
    pull_request_approved: ['pull_request', 'review'],
    pull_request_comment: ['pull_request', 'review'],
    pull_request_rejected: ['pull_request', 'review'],
    push: ['ref', 'after'],
    release: ['release'],
  },
  // Gitea and Forgejo write `"review": null` into every pull request.
  exclusive: {
    comment: ['issue_comment'],
    review: ['pull_request_approved', 'pull_request_comment', 'pull_request_rejected'],
  },
};

/** What the headers call the event; null when they name none. */
export function eventName(headers: Headers): string | null {
  const name = HEADERS.map((header) => headers[header]).find((found) => found !== undefined);
  return name !== undefined && /^[a-z0-9_]+$/.test(name) ? name : null;
}

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
  const problem = shapeMismatch(SHAPES, name, payload);
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
    author: isText ? writerOf(payload, texts.at) : null,
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

/** Who wrote a text: the `user` beside it. A review names only the sender. */
function writerOf(payload: JsonObject, [place = '']: readonly string[]): EventAuthor | null {
  const user = place === 'review' ? ['sender'] : [place, 'user'];
  const id = idAt(payload, ...user, 'id');
  return id === null ? null : { id, name: textAt(payload, ...user, 'login') ?? id };
}
