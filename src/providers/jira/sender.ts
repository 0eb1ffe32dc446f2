import { getPath } from '../../lib/json.ts';
import type { EventAuthor, JsonObject, Sender, WebhookEvent } from '../../types.ts';
import { noPerson } from '../kit/event.ts';
import { idAt, objectAt, textAt } from '../kit/payload.ts';

/** Where a payload names accounts. One that is named twice may have its type in only one of the places. */
const ACCOUNTS = [
  ['user'],
  ['comment', 'author'],
  ['comment', 'updateAuthor'],
  ['worklog', 'author'],
  ['worklog', 'updateAuthor'],
  ['attachment', 'author'],
  ['issue', 'fields', 'creator'],
  ['issue', 'fields', 'reporter'],
  ['issue', 'fields', 'assignee'],
] as const;

/**
 * An account as sender. `accountId` is Cloud's, `key` that of Data Center; a user name can be taken by somebody else
 * and is no id.
 *
 * The association is the account's type: `atlassian` (a user of the site), `app`, `customer` (of a service desk).
 * Data Center never tells it, Cloud not in every place. Then it is `unstated`, which commands only where `allow` says so: the public
 * may have accounts there, and mail becomes issues; but `customer` where the id has the form of one, and none at all in a service
 * desk, where the public writes comments.
 */
function senderOf(payload: JsonObject, account: JsonObject | null): Sender | null {
  const id = accountIdOf(account);
  if (account === null || id === null) return null;
  const association = accountTypeOf(payload, id) ?? untoldType(payload, id);
  const isApp = association === 'app' || isMachine(account);
  return {
    id,
    name: textAt(account, 'displayName') ?? textAt(account, 'name') ?? id,
    kind: isApp ? 'bot' : 'person',
    association: isApp ? 'app' : association,
    appId: isApp ? id : null,
  };
}

/**
 * The account of Automation for Jira. No page of Atlassian gives the id; public code of several unrelated sites names the same one.
 * It is needed where the payload shows the account without its `accountType`.
 */
const AUTOMATION_ACCOUNT = '557058:f58131cb-b67d-43c7-b30d-6b58d40bd077';

/** Users that apps have on sites that tell no type: `addon_<app key>` (developer.atlassian.com, Connect, "Add-on users"). */
function isMachine(account: JsonObject): boolean {
  const names = ['key', 'name'].map((field) => idAt(account, field));
  return (
    idAt(account, 'accountId') === AUTOMATION_ACCOUNT ||
    names.some((name) => name?.startsWith('addon_') === true)
  );
}

/**
 * Who wrote a text: the author of a comment, the creator of an issue. Where another account is named as its reporter (issues made
 * by mail or for a customer), the payload does not say whose words the description holds: null.
 */
export function authorOfText(comment: JsonObject | null, issue: JsonObject | null): EventAuthor | null {
  if (comment !== null) return toAuthor(objectAt(comment, 'author'));
  const creator = toAuthor(objectAt(issue, 'fields', 'creator'));
  const reporter = toAuthor(objectAt(issue, 'fields', 'reporter'));
  if (creator === null || reporter === null) return creator ?? reporter;
  return creator.id === reporter.id ? creator : null;
}

function toAuthor(account: JsonObject | null): EventAuthor | null {
  const id = accountIdOf(account);
  return id === null ? null : { id, name: textAt(account, 'displayName') ?? id };
}

function accountIdOf(account: JsonObject | null): string | null {
  return idAt(account, 'accountId') ?? idAt(account, 'key');
}

function accountTypeOf(payload: JsonObject, id: string): string | null {
  const types = ACCOUNTS.map((path) => objectAt(payload, ...path))
    .filter((account) => accountIdOf(account) === id)
    .map((account) => textAt(account, 'accountType'));
  return types.find((type) => type !== null) ?? null;
}

function untoldType(payload: JsonObject, id: string): string | null {
  if (id.startsWith('qm:')) return 'customer';
  const project = getPath(payload, ['issue', 'fields', 'project', 'projectTypeKey']);
  return project === 'service_desk' ? null : 'unstated';
}

/** A rule of Automation for Jira: verified, and no person is behind it. */
const AUTOMATION = noPerson('automation', 'Automation for Jira');

/** Events without a `user`, whose thing names who made or changed it. Jira does not name the person who deleted one. */
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
  const comment = spoken?.comment ?? null;
  if (comment !== null)
    return user ?? objectAt(comment, spoken?.origin === 'edited' ? 'updateAuthor' : 'author');
  const maker = Object.hasOwn(MADE_BY, type) ? (MADE_BY[type] ?? null) : null;
  return user ?? (maker === null ? null : objectAt(payload, ...maker));
}
