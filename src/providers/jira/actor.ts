import type { JsonObject, Sender, WebhookEvent } from '../../types.ts';
import { objectAt } from '../kit/payload.ts';
import { senderOf } from './sender.ts';

/** A rule of Automation for Jira: verified, and no person is behind it. */
const AUTOMATION: Sender = {
  id: 'automation',
  name: 'Automation for Jira',
  kind: 'system',
  association: null,
  appId: null,
};

/** Events without a `user`, whose thing names who made or changed it. Who deleted one is not told. */
const MADE_BY: Readonly<Record<string, readonly string[]>> = {
  comment_created: ['comment', 'author'],
  comment_updated: ['comment', 'updateAuthor'],
  attachment_created: ['attachment', 'author'],
  worklog_created: ['worklog', 'author'],
  worklog_updated: ['worklog', 'updateAuthor'],
};

/** What the event says somebody wrote. */
export interface Spoken {
  readonly origin: WebhookEvent['textOrigin'];
  /** The comment that was written; null for the description of an issue. */
  readonly comment: JsonObject | null;
}

/** Who acted. An account that an event tells of (`user_created`, a project's lead) did nothing. */
export function actingSender(type: string | null, payload: JsonObject, spoken: Spoken | null): Sender | null {
  if (type === null) return senderWithoutEvent(payload);
  return senderOf(payload, actorOf(type, payload, spoken));
}

/**
 * A request that names no event: an automation rule that sent its issue, or a workflow's post-function, which names the user who made
 * the transition. Source: Atlassian Support, "Trigger a webhook post function" (`transition`, `user`, `issue`).
 */
function senderWithoutEvent(payload: JsonObject): Sender | null {
  const names = (key: string) => Object.hasOwn(payload, key) && payload[key] !== null;
  return names('user') || names('transition') ? senderOf(payload, objectAt(payload, 'user')) : AUTOMATION;
}

/** Cloud's comment events have no `user`: there the author acted, or who edited. Elsewhere a comment may come along with another's act. */
function actorOf(type: string, payload: JsonObject, spoken: Spoken | null): JsonObject | null {
  const user = /^(?:jira:)?user_/.test(type) ? null : objectAt(payload, 'user');
  const comment = spoken?.comment ?? undefined;
  if (comment !== undefined)
    return user ?? objectAt(comment, spoken?.origin === 'edited' ? 'updateAuthor' : 'author');
  const maker = Object.hasOwn(MADE_BY, type) ? (MADE_BY[type] ?? null) : null;
  return user ?? (maker === null ? null : objectAt(payload, ...maker));
}
