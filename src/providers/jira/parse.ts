import type { JsonObject, JsonValue, Parsed, WebhookEvent } from '../../types.ts';
import { idAt, objectAt, objectsAt, textAt, timeAt } from '../kit/payload.ts';
import { bodyKey } from '../kit/signature.ts';
import type { ReadContext } from '../provider.ts';
import { writtenText } from './adf.ts';
import { actingSender, authorOfText, type Spoken } from './sender.ts';
import { formerIds, type JiraSubject, placeOf, titleOf } from './site.ts';

/**
 * Whether this event gives the issue to the agent: `agentUser` is its account id on Cloud, its user key or name on Data
 * Center. An account that assigns an issue to itself asks for nothing.
 */
function isAssignedTo(agentUser: string | null, payload: JsonObject): boolean {
  if (agentUser === null || isAccount(objectAt(payload, 'user'), agentUser)) return false;
  const assignee = isAccount(objectAt(payload, 'issue', 'fields', 'assignee'), agentUser);
  switch (textAt(payload, 'webhookEvent')) {
    case 'jira:issue_created':
      return assignee;
    case 'jira:issue_updated': {
      const changes = objectsAt(payload, 'changelog', 'items').filter(
        (item) => textAt(item, 'field') === 'assignee',
      );
      // The new value is an account id or a user key; only the issue has names.
      if (changes.length > 0) return changes.some((item) => idAt(item, 'to') === agentUser) || assignee;
      return textAt(payload, 'issue_event_type_name') === 'issue_assigned' && assignee;
    }
    default:
      return false;
  }
}

function isAccount(account: JsonObject | null, id: string): boolean {
  return ['accountId', 'key', 'name'].some((field) => idAt(account, field) === id);
}

/** Reads a verified Jira request: a webhook (`webhookEvent`), or an issue that an automation rule sent. */
export function parse(payload: JsonObject, { request, settings }: ReadContext): Parsed {
  const type = textAt(payload, 'webhookEvent');
  const issue =
    objectAt(payload, 'issue') ?? (type === null && objectAt(payload, 'fields') !== null ? payload : null);
  const place = placeOf(payload, issue);
  const written = writtenIn(type, payload, issue);
  const agentUser = textAt(settings.options, 'agentUser');
  const event: WebhookEvent = {
    type: type ?? 'automation',
    externalId: place.externalId,
    stableIds: place.stableIds,
    otherIds: formerIds(payload, place),
    sender: actingSender(type, payload, written),
    ...writtenText(written?.value),
    author: written === null ? null : authorOfText(written.comment, issue),
    textOrigin: written?.origin ?? 'created',
    // A rule acts on issues that customers may have written.
    hasStrangersWords: type === null,
    ...(written !== null && writingOf(payload, written, issue, place)),
    asks: isAssignedTo(agentUser, payload) ? `the issue was assigned to ${agentUser}` : null,
    title: textAt(issue, 'fields', 'summary') ?? titleOf(payload),
    withoutText: writtenElsewhere(type, payload),
    url: place.url,
    payload,
  };
  return { ok: true, events: [event], ...keysOf(payload, request.body, place, written) };
}

/** The id of a comment or of an issue's description, and when it was written. */
function writingOf(
  payload: JsonObject,
  { comment, origin }: Written,
  issue: JsonObject | null,
  { host }: JiraSubject,
) {
  const id = comment === null ? idAt(issue, 'id') : idAt(comment, 'id');
  const [at, name] = comment === null ? [objectAt(issue, 'fields'), 'issue'] : [comment, 'comment'];
  return {
    textId: id === null ? null : `${host}/${name}/${id}`,
    writtenAt: timeAt(at, origin === 'edited' ? 'updated' : 'created') ?? timeAt(payload, 'timestamp'),
  };
}

interface Written extends Spoken {
  readonly value: JsonValue | undefined;
}

/**
 * Data Center sends a comment twice. The one without its issue is not read: a task of it would have no title, key or link, and the
 * same comment comes with its issue.
 */
function writtenElsewhere(type: string | null, payload: JsonObject): string | null {
  const isBare = objectAt(payload, 'comment') !== null && objectAt(payload, 'issue') === null;
  return isBare && (type === 'comment_created' || type === 'comment_updated')
    ? `${type} names no issue; Jira sends the comment again with its issue, as jira:issue_updated: tick \`Issue: updated\` in the form of its webhook`
    : null;
}

/** What a person wrote by this act; null when it wrote nothing. */
function writtenIn(type: string | null, payload: JsonObject, issue: JsonObject | null): Written | null {
  if (writtenElsewhere(type, payload) !== null) return null;
  const comment = objectAt(payload, 'comment');
  const commented = comment === null ? null : commentOrigin(type, payload, comment);
  if (comment !== null && commented !== null) return { origin: commented, value: comment.body, comment };
  const description = objectAt(issue, 'fields')?.description;
  if (type === 'jira:issue_created') return { origin: 'created', value: description, comment: null };
  // The item's own keys: `toString` is a field here, and a method of every object.
  const isEdit = objectsAt(payload, 'changelog', 'items').some(
    (item) => textAt(item, 'field') === 'description',
  );
  return type === 'jira:issue_updated' && isEdit
    ? { origin: 'edited', value: description, comment: null }
    : null;
}

/**
 * Data Center tells of a comment twice: as `comment_created` (without `issue`), and as `jira:issue_updated` with the
 * comment in it. Where `issue_event_type_name` does not say what became of it, its times do.
 */
function commentOrigin(
  type: string | null,
  payload: JsonObject,
  comment: JsonObject,
): Written['origin'] | null {
  if (type === 'comment_created') return 'created';
  if (type === 'comment_updated') return 'edited';
  if (type !== 'jira:issue_updated') return null;
  switch (textAt(payload, 'issue_event_type_name')) {
    case 'issue_commented':
      return 'created';
    case 'issue_comment_edited':
      return 'edited';
    case 'issue_comment_deleted':
      return null;
    default: {
      const updated = textAt(comment, 'updated');
      return updated === null || updated === textAt(comment, 'created') ? 'created' : 'edited';
    }
  }
}

/** The identifier in the header is not signed; the time in the body makes every delivery's bytes its own. */
function keysOf(payload: JsonObject, body: Uint8Array, { host }: JiraSubject, written: Written | null) {
  const bytes = Object.hasOwn(payload, 'timestamp') && { bytesKey: () => bodyKey(body) };
  const id = idAt(written?.comment, 'id');
  if (id === null) return { semanticKeys: [], ...bytes };
  const edit = written?.origin === 'edited' ? `:${textAt(written.comment, 'updated')}` : '';
  return { semanticKeys: [`comment:${host}:${id}${edit}`], ...bytes };
}
