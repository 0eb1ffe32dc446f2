import { getPath } from '../../lib/json.ts';
import type { EventAuthor, JsonObject, Sender } from '../../types.ts';
import { accountSender } from '../kit/event.ts';
import { idAt, objectAt, textAt } from '../kit/payload.ts';
import { repositoryOf } from './subject.ts';

/** The account's ids: of Atlassian, of Bitbucket Cloud, of a Server. The first that is there names it. */
const IDS = ['account_id', 'uuid', 'id'] as const;
const WRITERS = ['user', 'author', 'reporter'] as const;

/**
 * Who acted. Bitbucket tells no role; but only members can do anything in a private repository. In a public one
 * anybody may comment: no association.
 */
export function senderOf(payload: JsonObject): Sender | null {
  const actor = objectAt(payload, 'actor');
  const id = accountId(actor);
  if (id === null) return null;
  // `user` of Cloud, `NORMAL` of Server; apps, teams and service users are no people.
  const isPerson = ['user', 'NORMAL'].includes(textAt(actor, 'type') ?? '');
  const name = textAt(actor, 'nickname') ?? textAt(actor, 'name') ?? nameIn(actor) ?? id;
  const association = isPrivate(placeOf(payload)) ? 'member' : null;
  return accountSender({ id, name }, { isBot: !isPerson, association });
}

/** Server tells of a fork by the new repository, which belongs to the person who forked: the one that was forked counts. */
function placeOf(payload: JsonObject): JsonObject | null {
  const repository = repositoryOf(payload);
  return textAt(payload, 'eventKey') === 'repo:forked' ? objectAt(repository, 'origin') : repository;
}

function accountId(account: JsonObject | null | undefined): string | null {
  return IDS.map((key) => idAt(account, key)).find((id) => id !== null) ?? null;
}

/**
 * Who wrote the comment, pull request or issue at `place`: `user` or `author` of a comment, `author` of a pull request (Server: a
 * participant, with the account in `user`), `reporter` of an issue. One whose ids are the actor's is the actor, also where the
 * payload names it by fewer of them.
 */
export function writerOf(payload: JsonObject, place: string): EventAuthor | null {
  const found = WRITERS.map((key) => objectAt(payload, place, key)).find((each) => each !== null);
  const account = objectAt(found, 'user') ?? found;
  const id = accountId(account);
  if (id === null) return null;
  const actor = objectAt(payload, 'actor');
  const shared = IDS.filter((key) => idAt(account, key) !== null && idAt(actor, key) !== null);
  const isActor = shared.length > 0 && shared.every((key) => idAt(account, key) === idAt(actor, key));
  return { id: (isActor ? accountId(actor) : null) ?? id, name: nameIn(account) ?? id };
}

/** Who wrote a comment, a pull request, an issue: the nearest of `user`, `author`, `reporter` above the value. */
export function authorOf(payload: JsonObject, path: readonly string[]): string | null {
  for (let depth = path.length - 1; depth > 0; depth--) {
    for (const key of ['user', 'author', 'reporter']) {
      const place = [...path.slice(0, depth), key];
      const person = objectAt(payload, ...place, 'user') ?? objectAt(payload, ...place);
      const name = nameIn(person);
      if (name !== null) return name;
    }
  }
  return null;
}

function nameIn(person: JsonObject | null | undefined): string | null {
  return textAt(person, 'display_name') ?? textAt(person, 'displayName');
}

function isPrivate(repository: JsonObject | null): boolean {
  const told = (...path: readonly string[]) => getPath(repository, path);
  return told('is_private') === true || (told('public') === false && told('project', 'public') !== true);
}
