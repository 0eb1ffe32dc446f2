import type { JsonObject, WebhookEvent } from '../../types.ts';

/** An event of which only `type` must be known: everything that is left out is null, and the text is no edit. */
export function event(
  payload: JsonObject,
  fields: { readonly type: string } & Partial<Omit<WebhookEvent, 'payload'>>,
): WebhookEvent {
  return {
    externalId: null,
    sender: null,
    text: null,
    textOrigin: 'created',
    title: null,
    url: null,
    ...fields,
    payload,
  };
}
