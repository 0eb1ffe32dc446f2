import { hostOf, idAt, objectAt, textAt } from '../../lib/payload.ts';
import type { JsonObject } from '../../types.ts';

/** What an event is about: the first of these that the payload holds gives number, title and link. */
const SUBJECTS = ['issue', 'pull_request', 'discussion'] as const;

/** The names of a subject: as people read it, and by the repository's own number, which a rename or transfer does not change. */
export interface SubjectIds {
  readonly externalId: string | null;
  readonly stableIds: readonly string[];
  readonly otherIds: readonly string[];
}

export function subjectOf(payload: JsonObject): JsonObject | null {
  return SUBJECTS.map((key) => objectAt(payload, key)).find((found) => found !== null) ?? null;
}

/** `github:owner/repo#42`; a commit comment belongs to its commit; the host is named where it is not github.com. */
export function subjectIds(payload: JsonObject): SubjectIds {
  const host = hostOf(textAt(payload, 'repository', 'html_url')) ?? 'github.com';
  const reference = referenceOf(payload);
  const here = idsAt(host, objectAt(payload, 'repository'), reference);
  const there = movedIds(host, payload);
  const stable = [there.stable, here.stable];
  return {
    externalId: here.readable,
    // The present one first. `opened` comes from the new repository, `transferred` from the old one.
    stableIds: (there.isFormer ? stable.toReversed() : stable).filter((id) => id !== null),
    otherIds: here.readable === null || there.readable === null ? [] : [there.readable],
  };
}

function referenceOf(payload: JsonObject): string | null {
  const number = idAt(subjectOf(payload) ?? undefined, 'number');
  if (number !== null) return `#${number}`;
  const commit = textAt(payload, 'comment', 'commit_id');
  return commit === null ? null : `@${commit.toLowerCase()}`;
}

interface Ids {
  readonly readable: string | null;
  readonly stable: string | null;
}

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
