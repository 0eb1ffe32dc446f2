import {
  BUTTON_ACTIONS,
  type EventAuthor,
  type JsonObject,
  type PressedButton,
  type Sender,
  type WebhookEvent,
} from '../../types.ts';

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

/** Begins the names of hookctl's own buttons: `hookctl:approve`. */
export const BUTTON_PREFIX = 'hookctl:';

/** `out-…`, the digest of what is decided, and when the button ends, in epoch milliseconds. */
const VALUE = /^(out-[0-9a-z]{16,24})\.([\w-]{12})\.(\d{1,15})$/;

/** A click on a button of a post, by the button's name and value. Null when hookctl did not make the button. */
export function readButton(
  name: string | null,
  value: string | null,
  remoteId: string | null,
): PressedButton | null {
  const action = BUTTON_ACTIONS.find((each) => `${BUTTON_PREFIX}${each}` === name);
  const [, post, digest, expiresAt] = VALUE.exec(value ?? '') ?? [];
  if (action === undefined || post === undefined || digest === undefined || remoteId === null) return null;
  return { action, on: { post }, digest, expiresAt: Number(expiresAt), remoteId };
}
