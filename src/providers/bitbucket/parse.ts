import type { JsonObject, Parsed } from '../../types.ts';
import { event } from '../generic/event.ts';
import type { ReadContext } from '../generic/preset.ts';
import { hasValue, idAt, textAt } from '../kit/payload.ts';
import { eventName, shapeMismatch, textOf } from './events.ts';
import { senderOf } from './sender.ts';
import { commitOf, fullName, hostIn, repositoryOf, subjectOf, titleOf, urlOf } from './subject.ts';

/** Pull requests and issues are numbered apart. */
const MARKS = { pullrequests: '!', issues: '#' } as const;

/** Reads a verified request of Bitbucket Cloud, Server or Data Center. */
export function parse(payload: JsonObject, { request, settings }: ReadContext): Parsed {
  const type = eventName(request.headers);
  if (type === null) return { ok: false, reason: 'the X-Event-Key header is missing or no event name' };
  const problem = shapeMismatch(type, payload);
  if (problem !== null) return { ok: false, reason: problem };
  const baseUrl = textAt(settings.options, 'baseUrl');
  const parsed = event(payload, {
    type,
    ...subjectIds(payload, baseUrl),
    sender: senderOf(payload),
    ...textOf(type, payload),
    title: titleOf(payload),
    url: urlOf(payload, baseUrl),
  });
  return { ok: true, events: [parsed], semanticKeys: [] };
}

/**
 * `bitbucket:acme/web!7` (pull request), `#7` (issue), `@<commit>`; the host is named where it is not bitbucket.org. The stable id is
 * of the repository's own id, which a rename or transfer of it does not change.
 */
function subjectIds(payload: JsonObject, baseUrl: string | null) {
  const repository = repositoryOf(payload);
  const name = fullName(repository);
  const id = idAt(repository ?? undefined, 'uuid') ?? idAt(repository ?? undefined, 'id');
  const reference = referenceOf(payload);
  const told = hostIn(payload) ?? URL.parse(baseUrl ?? '')?.host ?? null;
  const isCloud = /^(?:api\.)?bitbucket\.org$/.test(told ?? '') || hasValue(payload, 'pullrequest');
  const host = isCloud ? 'bitbucket.org' : told;
  if (reference === null) return { externalId: null };
  const externalId = `bitbucket:${isCloud ? '' : `${host ?? 'server'}/`}${name}${reference}`.toLowerCase();
  return {
    externalId: name && !/\s/.test(externalId) ? externalId : null,
    stableIds: id === null || host === null ? [] : [`bitbucket:${host}/repository/${id}${reference}`],
  };
}

function referenceOf(payload: JsonObject): string | null {
  const subject = subjectOf(payload);
  if (subject !== null) return MARKS[subject.kind] + subject.number;
  const commit = commitOf(payload);
  return commit === null ? null : `@${commit}`;
}
