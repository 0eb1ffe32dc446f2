import { getPath } from '../../lib/json.ts';
import type { EventAuthor, JsonObject, Sender } from '../../types.ts';
import { accountSender } from '../kit/event.ts';
import { idAt, objectAt, textAt } from '../kit/payload.ts';

/**
 * Who acted: a member of the workspace (`user`), or an app or integration. An actor of another kind (somebody from
 * outside, through a synced thread) is a person of whom nothing is told; no actor is no sender. Source: the webhook types of
 * @linear/sdk (`EntityActorWebhookPayload`, `AgentSessionEventWebhookPayload`, `NotificationWebhookPayload`).
 */
export function senderOf(payload: JsonObject): Sender | null {
  if (objectAt(payload, 'agentSession') !== null) return sessionSender(payload);
  const notification = objectAt(payload, 'notification');
  if (notification !== null) return notificationSender(notification);
  const actor = objectAt(payload, 'actor');
  const id = idAt(actor, 'id');
  if (actor === null || id === null) return null;
  const type = (textAt(actor, 'type') ?? '').toLowerCase();
  const service = textAt(actor, 'service');
  const isBot = botOf(payload) !== null || service !== null || /^(?:oauth|integration|app|bot)/.test(type);
  const isOutsider = ['externalUserId', 'externalUserCreatorId'].some(
    (field) => idAt(payload, 'data', field) !== null,
  );
  const association = !isOutsider && type === 'user' ? 'user' : null;
  return accountSender({ id, name: textAt(actor, 'name') ?? service ?? id }, { isBot, association });
}

/** `created`: who opened the session. Every later event: who wrote the activity, which is not always the same. */
function sessionSender(payload: JsonObject): Sender | null {
  const isOpening = textAt(payload, 'action') === 'created';
  const account = isOpening
    ? accountIn(objectAt(payload, 'agentSession'), 'creator')
    : accountIn(objectAt(payload, 'agentActivity'), 'user');
  if (account === null) return null;
  // The agent's own user: its activities are events, too.
  const apps = [idAt(payload, 'appUserId'), idAt(payload, 'agentSession', 'appUserId')];
  return accountSender(account, { isBot: apps.includes(account.id), association: 'user' });
}

/** `userId` of a notification is who is told. */
function notificationSender(notification: JsonObject): Sender | null {
  const account = accountIn(notification, 'actor');
  if (account !== null) return accountSender(account, { isBot: false, association: 'user' });
  const id = idAt(notification, 'externalUserActorId');
  return id === null ? null : accountSender({ id, name: id }, { isBot: false, association: null });
}

function botOf(payload: JsonObject) {
  return getPath(payload, ['data', 'botActor']) ?? null;
}

/**
 * Who wrote a comment (`user`) or an issue (`creator`), members or people from outside; the app where it wrote itself. An issue that
 * an integration or a schedule made (of a message in Slack, of a ticket, of a template) holds words of others: null.
 */
export function dataAuthorOf(payload: JsonObject): EventAuthor | null {
  const data = objectAt(payload, 'data');
  const sources = ['integrationSourceType', 'recurringIssueTemplateId'];
  if (sources.some((field) => (getPath(data, [field]) ?? null) !== null)) return null;
  const account = accountIn(data, 'user', 'externalUser', 'creator', 'externalUserCreator');
  return account ?? (botOf(payload) === null ? null : accountIn(payload, 'actor'));
}

/** Who wrote the comment that opened a session with an agent, or the prompt that goes on with it. */
export function sessionAuthorOf(payload: JsonObject, action: string | null): EventAuthor | null {
  const place = action === 'created' ? ['agentSession', 'comment'] : ['agentActivity'];
  return accountIn(objectAt(payload, ...place), 'user');
}

/** An account that is named whole (`user: { id, name }`) or by its id alone (`userId`). */
function accountIn(thing: JsonObject | null, ...keys: readonly string[]): EventAuthor | null {
  for (const key of keys) {
    const id = idAt(thing, key, 'id') ?? idAt(thing, `${key}Id`);
    if (id !== null) return { id, name: textAt(thing, key, 'name') ?? id };
  }
  return null;
}

/** `data` of a comment or an issue that was just made is the actor's; who wrote the issue of a comment is not told. */
export function authorOf(payload: JsonObject, path: readonly string[]): string | null {
  const action = textAt(payload, 'action');
  if (path[0] === 'agentSession' && path[1] === 'comment')
    return sessionAuthorOf(payload, 'created')?.name ?? null;
  if (path[0] === 'agentActivity') return sessionAuthorOf(payload, action)?.name ?? null;
  const isOwn = path[0] === 'data' && path.length === 2 && action === 'create';
  return isOwn ? (dataAuthorOf(payload)?.name ?? null) : null;
}
