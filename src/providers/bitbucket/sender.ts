import { getPath } from '../../lib/json.ts';
import { idAt, objectAt, textAt } from '../../lib/payload.ts';
import type { JsonObject, Sender } from '../../types.ts';
import { repositoryOf } from './subject.ts';

/**
 * Who acted. Bitbucket tells no role; but only members can do anything in a private repository. In a public one
 * anybody may comment: no association.
 */
export function senderOf(payload: JsonObject): Sender | null {
  const actor = objectAt(payload, 'actor') ?? undefined;
  const id = idAt(actor, 'account_id') ?? idAt(actor, 'uuid') ?? idAt(actor, 'id');
  if (id === null) return null;
  // `user` of Cloud, `NORMAL` of Server; apps, teams and service users are no people.
  const isPerson = ['user', 'NORMAL'].includes(textAt(actor, 'type') ?? '');
  return {
    id,
    name: textAt(actor, 'nickname') ?? textAt(actor, 'name') ?? nameIn(actor) ?? id,
    kind: isPerson ? 'person' : 'bot',
    association: isPerson && isPrivate(repositoryOf(payload)) ? 'member' : null,
    appId: isPerson ? null : id,
  };
}

/** Who wrote a comment, a pull request, an issue: the nearest of `user`, `author`, `reporter` above the value. */
export function authorOf(payload: JsonObject, path: readonly string[]): string | null {
  for (let depth = path.length - 1; depth > 0; depth--) {
    for (const key of ['user', 'author', 'reporter']) {
      const place = [...path.slice(0, depth), key];
      const person = objectAt(payload, ...place, 'user') ?? objectAt(payload, ...place) ?? undefined;
      const name = nameIn(person);
      if (name !== null) return name;
    }
  }
  return null;
}

function nameIn(person: JsonObject | undefined): string | null {
  return textAt(person, 'display_name') ?? textAt(person, 'displayName');
}

function isPrivate(repository: JsonObject | null): boolean {
  const told = (...path: readonly string[]) => getPath(repository ?? undefined, path);
  return told('is_private') === true || (told('public') === false && told('project', 'public') !== true);
}
