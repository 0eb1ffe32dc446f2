import { parseJson } from '../../lib/json.ts';
import type { JsonObject, Parsed, RawRequest, WebhookEvent } from '../../types.ts';
import { isForm } from '../kit/form.ts';
import { textAt } from '../kit/payload.ts';
import { readCallback } from './event.ts';
import { readForm } from './form.ts';

/** Reads a verified Slack request: Events API, slash command or interaction. */
export function parse({ headers, body }: RawRequest, prefix: string): Parsed {
  if (isForm(headers)) return readForm(body, prefix);
  const json = parseJson(body);
  if (!json.ok) return json;
  if (textAt(json.value, 'type') !== 'event_callback')
    return { ok: true, events: [notice(json.value)], semanticKeys: [] };
  const { event, semanticKeys } = readCallback(json.value, prefix);
  return { ok: true, events: [event], semanticKeys };
}

/** `url_verification`, `app_rate_limited`: Slack itself speaks, about the connection. */
function notice(payload: JsonObject): WebhookEvent {
  return {
    type: textAt(payload, 'type') ?? 'unknown',
    externalId: null,
    sender: null,
    text: null,
    author: null,
    textOrigin: 'created',
    title: null,
    url: null,
    payload,
  };
}
