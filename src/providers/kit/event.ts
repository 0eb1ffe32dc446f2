import type { EventAuthor, JsonObject, Sender, WebhookEvent } from '../../types.ts';

/** An event of which only `type` must be known: everything that is left out is null, and the text is no edit. */
export function event(
  payload: JsonObject,
  fields: { readonly type: string } & Partial<Omit<WebhookEvent, 'payload'>>,
): WebhookEvent {
  return {
    externalId: null,
    sender: null,
    text: null,
    author: null,
    textOrigin: 'created',
    title: null,
    url: null,
    ...fields,
    payload,
  };
}

/** The sender as the author of a text, where a provider names only the account that acts. */
export function authoredBy(sender: Sender | null): EventAuthor | null {
  return sender === null ? null : { id: sender.id, name: sender.name };
}

/**
 * An account as sender: a person with that association, or a bot, which commands only where its id is listed as an app's
 * (a token of a user has no app).
 */
export function accountSender(
  { id, name }: EventAuthor,
  { isBot, association }: { readonly isBot: boolean; readonly association: string | null },
): Sender {
  return isBot
    ? { id, name, kind: 'bot', association: null, appId: id }
    : { id, name, kind: 'person', association, appId: null };
}

/** The sender of what no person did: payments, alerts, pushes. Verification is all that such events need. */
export function noPerson(id: string, name: string): Sender {
  return { id, name, kind: 'system', association: null, appId: null };
}
