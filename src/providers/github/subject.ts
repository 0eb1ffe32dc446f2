import type { JsonObject } from '../../types.ts';
import { hostOf, idAt, objectAt, textAt } from '../kit/payload.ts';
import { pullRequestOf, thingOf } from './things.ts';

/** What an event is about: its names, as people read it and by ids that stay, its title and its page. */
interface Subject {
  readonly externalId: string | null;
  readonly stableIds: readonly string[];
  readonly otherIds: readonly string[];
  readonly hasMovedOn: boolean;
  readonly title: string | null;
  readonly url: string | null;
}

/** An issue, pull request or discussion, and the repository that it is in. */
interface Numbered {
  readonly thing: JsonObject;
  readonly repository: JsonObject | null;
}

const NUMBERED = ['issue', 'pull_request', 'discussion'] as const;

/** Which of the two issues an event of this action is about; the other is its parent, its child or what holds it up. */
const RELATED: readonly (readonly [action: RegExp, key: string])[] = [
  [/^parent_issue_/, 'sub_issue'],
  [/^sub_issue_/, 'parent_issue'],
  [/^blocked_by_/, 'blocked_issue'],
  [/^blocking_/, 'blocking_issue'],
];

/**
 * `github:owner/repo#42`; the host is named where it is not github.com. What belongs to no issue, pull request or discussion belongs
 * to its commit (`@6dcb09b…`), or is named by the path of its page (`/releases/tag/v1`).
 */
export function subjectOf(event: string, payload: JsonObject): Subject {
  const host = hostOf(textAt(payload, 'repository', 'html_url')) ?? 'github.com';
  const numbered = numberedIn(payload);
  const told = numbered === null ? thingOf(event, payload) : null;
  const repository = numbered?.repository ?? objectAt(payload, 'repository');
  const here = idsAt(host, repository, referenceOf(payload, numbered) ?? told?.reference ?? null);
  const there = movedIds(host, payload);
  const stable = [there.stable, here.stable];
  return {
    externalId: here.readable,
    // The present one first. `opened` comes from the new repository, `transferred` from the old one.
    stableIds: (there.isFormer ? stable.toReversed() : stable).filter((id) => id !== null),
    otherIds: here.readable === null || there.readable === null ? [] : [there.readable],
    hasMovedOn: there.readable !== null && !there.isFormer,
    title: told?.title ?? textAt(numbered?.thing, 'title'),
    url: told?.url ?? textAt(numbered?.thing, 'html_url'),
  };
}

function numberedIn(payload: JsonObject): Numbered | null {
  const action = textAt(payload, 'action') ?? '';
  const related = RELATED.find(([pattern]) => pattern.test(action))?.[1];
  const own = related === undefined ? null : objectAt(payload, related);
  if (own !== null) {
    return {
      thing: own,
      repository: objectAt(payload, `${related}_repo`) ?? objectAt(payload, 'repository'),
    };
  }
  const thing = NUMBERED.map((key) => objectAt(payload, key)).find((found) => found !== null);
  return thing === undefined ? null : { thing, repository: objectAt(payload, 'repository') };
}

function referenceOf(payload: JsonObject, numbered: Numbered | null): string | null {
  const number = idAt(numbered?.thing, 'number') ?? (numbered === null ? pullRequestOf(payload) : null);
  if (number !== null) return `#${number}`;
  // A card of a classic project names its issue only by the address of the API.
  const card = /\/issues\/(\d+)$/.exec(textAt(payload, 'project_card', 'content_url') ?? '')?.[1];
  return card === undefined ? null : `#${card}`;
}

interface Ids {
  readonly readable: string | null;
  readonly stable: string | null;
}

/** The stable id is of the repository's own number, which a rename or transfer of it does not change. */
function idsAt(host: string, repository: JsonObject | null, reference: string | null): Ids {
  const name = textAt(repository ?? undefined, 'full_name');
  const id = idAt(repository ?? undefined, 'id');
  const place = host === 'github.com' ? '' : `${host}/`;
  return {
    readable: name === null || reference === null ? null : `github:${place}${name}${reference}`.toLowerCase(),
    stable: id === null || reference === null ? null : `github:${host}/repository/${id}${reference}`,
  };
}

const MOVES = [
  { repository: 'old_repository', subjects: ['old_issue', 'old_discussion'], isFormer: true },
  { repository: 'new_repository', subjects: ['new_issue', 'new_discussion'], isFormer: false },
] as const;

/** Where a transferred issue or discussion was before, or is now. */
function movedIds(host: string, payload: JsonObject): Ids & { readonly isFormer: boolean } {
  const changes = objectAt(payload, 'changes') ?? undefined;
  for (const { repository, subjects, isFormer } of MOVES) {
    const number = subjects.map((key) => idAt(changes, key, 'number')).find((found) => found !== null);
    const place = objectAt(changes, repository);
    if (place !== null && number !== undefined) return { ...idsAt(host, place, `#${number}`), isFormer };
  }
  return { readable: null, stable: null, isFormer: false };
}
