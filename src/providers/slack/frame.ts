import { isJsonObject, parseJson } from '../../lib/json.ts';
import type { JsonObject, RawRequest } from '../../types.ts';
import { idAt, objectAt, textAt } from '../kit/payload.ts';

/** Names the envelope in which Socket Mode brought a request; no HTTP request of Slack has it. */
export const ENVELOPE_HEADER = 'x-slack-envelope';

/** A frame of Socket Mode. Source: docs.slack.dev, "Using Socket Mode"; @slack/socket-mode 3.1.0. */
export type Frame =
  /** The connection is ready. */
  | { readonly kind: 'hello' }
  /** Slack is about to close the connection, or has switched Socket Mode off (`link_disabled`). */
  | { readonly kind: 'disconnect'; readonly reason: string }
  /** What Slack posts to a request URL otherwise. */
  | { readonly kind: 'request'; readonly envelopeId: string; readonly request: RawRequest }
  | { readonly kind: 'unknown'; readonly type: string | null };

/** Reads a frame. Of a request it makes what Slack would have posted, but for the signature. */
export function readFrame(text: string): Frame {
  const parsed = parseJson(Buffer.from(text));
  const frame = parsed.ok ? parsed.value : null;
  const type = textAt(frame, 'type');
  if (frame === null || type === 'hello')
    return type === 'hello' ? { kind: 'hello' } : { kind: 'unknown', type };
  if (type === 'disconnect')
    return { kind: 'disconnect', reason: textAt(frame, 'reason') ?? 'no reason given' };
  const envelopeId = idAt(frame, 'envelope_id');
  const payload = objectAt(frame, 'payload');
  const posted = payload === null || type === null ? null : bodyOf(type, payload);
  if (envelopeId === null || posted === null) return { kind: 'unknown', type };
  const retry = frame.retry_attempt;
  return {
    kind: 'request',
    envelopeId,
    request: {
      headers: {
        'content-type': posted.type,
        [ENVELOPE_HEADER]: envelopeId,
        ...(typeof retry === 'number' &&
          retry > 0 && {
            'x-slack-retry-num': String(retry),
            'x-slack-retry-reason': textAt(frame, 'retry_reason') ?? '',
          }),
      },
      query: '',
      body: Buffer.from(posted.body),
    },
  };
}

/** Events are posted as JSON, clicks as JSON in a form, slash commands as a form. */
function bodyOf(type: string, payload: JsonObject): { readonly type: string; readonly body: string } | null {
  const form = (fields: Readonly<Record<string, string>>) => ({
    type: 'application/x-www-form-urlencoded',
    body: new URLSearchParams(fields).toString(),
  });
  switch (type) {
    case 'events_api':
      return { type: 'application/json', body: JSON.stringify(payload) };
    case 'interactive':
      return form({ payload: JSON.stringify(payload) });
    case 'slash_commands':
      return form(
        Object.fromEntries(
          Object.entries(payload).map(([name, value]) => [
            name,
            isJsonObject(value) || Array.isArray(value) ? JSON.stringify(value) : String(value ?? ''),
          ]),
        ),
      );
    default:
      return null;
  }
}

/** What the app says to a request: Slack sends it again otherwise. */
export function acknowledgement(envelopeId: string): string {
  return JSON.stringify({ envelope_id: envelopeId, payload: {} });
}
