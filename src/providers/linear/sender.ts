import { getPath } from '../../lib/json.ts';
import { idAt, objectAt, textAt } from '../../lib/payload.ts';
import type { EventAuthor, JsonObject, Sender } from '../../types.ts';

/**
 * Who acted: a member of the workspace (`user`), or an app or integration. An actor of another kind (somebody from
 * outside, through a synced thread) is a person of whom nothing is told; no actor is no sender.
 */
export function senderOf(payload: JsonObject): Sender | null {
  const creator = objectAt(payload, 'agentSession', 'creator');
  const actor = creator ?? objectAt(payload, 'actor');
  const id = idAt(actor ?? undefined, 'id');
  if (actor === null || id === null) return null;
  const type = creator === null ? (textAt(actor, 'type') ?? '').toLowerCase() : 'user';
  const service = textAt(actor, 'service');
  const bot = getPath(payload, ['data', 'botActor']) ?? null;
  const isBot = bot !== null || service !== null || /^(?:oauth|integration|app|bot)/.test(type);
  const isOutsider = idAt(payload, 'data', 'externalUserId') !== null;
  return {
    id,
    name: textAt(actor, 'name') ?? service ?? id,
    kind: isBot ? 'bot' : 'person',
    association: !isBot && !isOutsider && type === 'user' ? 'user' : null,
    appId: isBot ? id : null,
  };
}

/** Who wrote a comment (`user`) or an issue (`creator`). */
export function dataAuthorOf(payload: JsonObject): EventAuthor | null {
  return accountIn(objectAt(payload, 'data'), 'user', 'creator');
}

/** Who wrote the comment that opened a session with an agent, or the prompt that goes on with it. */
export function sessionAuthorOf(payload: JsonObject, action: string | null): EventAuthor | null {
  const place = action === 'created' ? ['agentSession', 'comment'] : ['agentActivity'];
  return accountIn(objectAt(payload, ...place), 'user');
}

/** An account that is named whole (`user: { id, name }`) or by its id alone (`userId`). */
function accountIn(thing: JsonObject | null, ...keys: readonly string[]): EventAuthor | null {
  for (const key of keys) {
    const id = idAt(thing ?? undefined, key, 'id') ?? idAt(thing ?? undefined, `${key}Id`);
    if (id !== null) return { id, name: textAt(thing ?? undefined, key, 'name') ?? id };
  }
  return null;
}

/** `data` of a comment or an issue that was just made is the actor's; who wrote the issue of a comment is not told. */
export function authorOf(payload: JsonObject, path: readonly string[]): string | null {
  if (path[0] === 'agentSession' && path[1] === 'comment')
    return textAt(payload, 'agentSession', 'creator', 'name');
  const isOwn = path[0] === 'data' && path.length === 2 && textAt(payload, 'action') === 'create';
  return isOwn ? textAt(payload, 'actor', 'name') : null;
}
