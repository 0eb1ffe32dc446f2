import { parseJson } from '../../lib/json.ts';
import type { JsonObject, Parsed, WebhookEvent } from '../../types.ts';
import { event, readButton } from '../kit/event.ts';
import { isForm, parseForm } from '../kit/form.ts';
import { idAt, objectsAt, textAt } from '../kit/payload.ts';
import type { ReadContext } from '../provider.ts';
import { channelUrl, readCallback, stableThreadIds, threadId } from './event.ts';
import { ENVELOPE_HEADER } from './frame.ts';
import { clickerOf } from './sender.ts';
import { plainText } from './text.ts';

/** Reads a form: a slash command's fields, or an interaction as JSON in the field `payload`. */
function readForm(body: Uint8Array, prefix: string): Parsed {
  const fields = parseForm(body);
  if (fields === null) return { ok: false, reason: 'the form is not valid' };
  const payload = fields.get('payload');
  if (payload !== undefined) {
    const json = parseJson(Buffer.from(payload, 'utf8'));
    return json.ok ? told(interaction(json.value)) : json;
  }
  // `ssl_check=1`, where Slack signed it, and whatever else is a form: nothing that anybody said.
  if (!fields.has('command')) return { ok: true, events: [], semanticKeys: [] };
  return told(slashCommand(Object.fromEntries(fields), prefix));
}

/** A trigger id is made for one click or command: it tells a request that is sent again. */
function told(interactive: WebhookEvent): Parsed {
  const trigger = idAt(interactive.payload, 'trigger_id');
  return { ok: true, events: [interactive], semanticKeys: trigger === null ? [] : [`trigger:${trigger}`] };
}

/** `/agent analyze …` addresses the app by itself: it reads as if it began with the prefix. */
function slashCommand(fields: JsonObject, prefix: string): WebhookEvent {
  const said = plainText(textAt(fields, 'text') ?? '', { botUser: null, prefix }).trim();
  const addressed = said.split(/\s/)[0] === prefix;
  const id = idAt(fields, 'user_id');
  const author = id === null ? null : { id, name: textAt(fields, 'user_name') ?? id };
  return {
    type: 'slash_command',
    // The channel holds no message, so that there is no thread to continue.
    externalId: null,
    // Only people of the workspaces in which an app is installed see its commands.
    sender: author === null ? null : { ...author, kind: 'person', association: 'member', appId: null },
    text: addressed ? said : `${prefix} ${said}`.trim(),
    author,
    textOrigin: 'created',
    textFormat: 'plain',
    title: null,
    url: channelUrl({ team: idAt(fields, 'team_id'), channel: idAt(fields, 'channel_id'), thread: null }),
    payload: fields,
  };
}

/** A button, shortcut or modal. The message that it hangs on may be anybody's, so that it is no text of the sender. */
function interaction(payload: JsonObject): WebhookEvent {
  const threads = [
    idAt(payload, 'container', 'thread_ts'),
    idAt(payload, 'message', 'thread_ts'),
    idAt(payload, 'container', 'message_ts'),
    idAt(payload, 'message', 'ts'),
    idAt(payload, 'message_ts'),
  ];
  const team = idAt(payload, 'team', 'id') ?? idAt(payload, 'user', 'team_id');
  const channel = idAt(payload, 'channel', 'id') ?? idAt(payload, 'container', 'channel_id');
  const place = { team, channel, thread: threads.find((thread) => thread !== null) ?? null };
  const [pressed] = objectsAt(payload, 'actions');
  const ts = idAt(payload, 'container', 'message_ts') ?? idAt(payload, 'message', 'ts');
  const at = channel === null || ts === null ? null : [channel, ts, workspaceOf(payload) ?? ''].join(':');
  const button = readButton(textAt(pressed, 'action_id'), textAt(pressed, 'value'), at);
  return {
    type: textAt(payload, 'type') ?? 'interaction',
    externalId: threadId(place),
    stableIds: stableThreadIds(place),
    sender: clickerOf(payload),
    isClick: true,
    ...(button !== null && { button }),
    text: null,
    author: null,
    textOrigin: 'created',
    title: null,
    url: channelUrl(place),
    payload,
  };
}

/** The workspace of a click; null in an organisation, whose channels several workspaces can share: the sender rule judges there. */
function workspaceOf(payload: JsonObject): string | null {
  return idAt(payload, 'enterprise', 'id') === null ? idAt(payload, 'team', 'id') : null;
}

/** Reads a verified Slack request: Events API, slash command or interaction. */
export function parse(payload: JsonObject, context: ReadContext): Parsed {
  const parsed = readRequest(payload, context);
  const envelope = context.request.headers[ENVELOPE_HEADER];
  return parsed.ok && envelope !== undefined
    ? { ...parsed, semanticKeys: [...parsed.semanticKeys, `envelope:${envelope}`] }
    : parsed;
}

function readRequest(payload: JsonObject, { request, settings }: ReadContext): Parsed {
  const prefix = settings.commandPrefix;
  if (isForm(request.headers)) return readForm(request.body, prefix);
  if (textAt(payload, 'type') !== 'event_callback')
    return { ok: true, events: [notice(payload)], semanticKeys: [] };
  const callback = readCallback(payload, prefix);
  return { ok: true, events: [callback.event], semanticKeys: callback.semanticKeys };
}

/** `url_verification`, `app_rate_limited`: Slack itself speaks, about the connection. */
function notice(payload: JsonObject): WebhookEvent {
  return event(payload, { type: textAt(payload, 'type') ?? 'unknown' });
}
