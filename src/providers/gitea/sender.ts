import { getPath } from '../../lib/json.ts';
import type { JsonObject, Sender } from '../../types.ts';
import { idAt, objectAt, textAt } from '../kit/payload.ts';

/**
 * Accounts that Gitea and Forgejo keep for themselves have ids below 1: Ghost (-1, who was deleted), gitea-actions and
 * forgejo-actions (-2, workflows). Their names are reserved. Source: go-gitea/gitea `models/user/user_system.go`, Forgejo's copy of it.
 */
const MACHINES = ['ghost', 'gitea-actions', 'forgejo-actions'];

/**
 * Who acted. Gitea tells no role; but the owner of a repository is named in it, and in a private one only those whom
 * the owner let in can do anything. In a public one anybody may write: no association.
 */
export function senderOf(payload: JsonObject): Sender | null {
  const id = idAt(payload, 'sender', 'id');
  const name = textAt(payload, 'sender', 'login') ?? textAt(payload, 'sender', 'username');
  if (id === null || name === null) return null;
  const isBot = Number(id) <= 0 || MACHINES.includes(name.toLowerCase());
  // Of a fork, which anybody may make, `repository` is the new one, and its owner a stranger.
  const place = objectAt(payload, 'forkee') ?? objectAt(payload, 'repository') ?? undefined;
  const isOwner = id === idAt(place, 'owner', 'id');
  const isPrivate = getPath(place, ['private']) === true;
  return {
    id,
    name,
    kind: isBot ? 'bot' : 'person',
    association: isBot ? null : isOwner ? 'owner' : isPrivate ? 'member' : null,
    appId: isBot ? id : null,
  };
}

/** The login of the nearest `user` above the value; a review is by the sender. */
export function authorOf(payload: JsonObject, path: readonly string[]): string | null {
  if (path[0] === 'review') return textAt(payload, 'sender', 'login');
  const places = path.slice(0, -1).map((_, index) => path.slice(0, path.length - 1 - index));
  const logins = places.map((place) => textAt(payload, ...place, 'user', 'login'));
  return logins.find((login) => login !== null) ?? null;
}
