import { hasValue, idAt, textAt } from '../../lib/payload.ts';
import type { JsonObject } from '../../types.ts';
import { event } from '../generic/event.ts';
import type { ReadContext } from '../generic/preset.ts';
import type { Parsed } from '../provider.ts';
import { eventName, misfit, textOf } from './events.ts';
import { senderOf } from './sender.ts';
import { fullName, hostIn, repositoryOf, subjectOf } from './subject.ts';

/** Pull requests and issues are numbered apart. */
const MARKS = { pullrequests: '!', issues: '#' } as const;

/** Reads a verified request of Bitbucket Cloud, Server or Data Center. */
export function parse(payload: JsonObject, { request, settings }: ReadContext): Parsed {
  const type = eventName(request.headers);
  if (type === null) return { ok: false, reason: 'the X-Event-Key header is missing or no event name' };
  const problem = misfit(type, payload);
  if (problem !== null) return { ok: false, reason: problem };
  const subject = subjectOf(payload);
  const parsed = event(payload, {
    type,
    externalId: externalId(payload, textAt(settings.options, 'baseUrl')),
    stableIds: stableIds(payload, textAt(settings.options, 'baseUrl')),
    sender: senderOf(payload),
    ...textOf(type, payload),
    title: subject?.title ?? null,
    url: textAt(payload, 'comment', 'links', 'html', 'href') ?? subject?.url ?? null,
  });
  return { ok: true, events: [parsed], semanticKeys: [] };
}

/** Of the repository's own id, which a rename or transfer of it does not change. */
function stableIds(payload: JsonObject, baseUrl: string | null): readonly string[] {
  const repository = repositoryOf(payload) ?? undefined;
  const id = idAt(repository, 'uuid') ?? idAt(repository, 'id');
  const subject = subjectOf(payload);
  const host = hostIn(payload) ?? URL.parse(baseUrl ?? '')?.host ?? null;
  if (id === null || subject === null || host === null) return [];
  return [`bitbucket:${host}/repository/${id}${MARKS[subject.kind]}${subject.number}`];
}

/** `bitbucket:acme/web!7` (pull request), `#7` (issue); the host is named where it is not bitbucket.org. */
function externalId(payload: JsonObject, baseUrl: string | null): string | null {
  const name = fullName(repositoryOf(payload));
  const subject = subjectOf(payload);
  if (!name || subject === null) return null;
  const host = hostIn(payload) ?? URL.parse(baseUrl ?? '')?.host ?? null;
  const isCloud = host === 'bitbucket.org' || hasValue(payload, 'pullrequest');
  const place = isCloud ? '' : `${host ?? 'server'}/`;
  const id = `bitbucket:${place}${name}${MARKS[subject.kind]}${subject.number}`.toLowerCase();
  return /\s/.test(id) ? null : id;
}
