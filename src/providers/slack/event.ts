import { getPath } from '../../lib/json.ts';
import type { MarkedText } from '../../lib/text/spans.ts';
import type { JsonObject, WebhookEvent } from '../../types.ts';
import { idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';
import { blocksText, readBlocks } from './blocks.ts';
import { appOf, authorOf, senderOf } from './sender.ts';
import { firstMention, mentions, plainText } from './text.ts';

/** Where something was said. */
interface SlackThread {
  readonly team: string | null;
  readonly channel: string | null;
  /** Timestamp of the message that opened the thread, which is its id. */
  readonly thread: string | null;
}

/** `slack:T1:C1:1700000000.000100`: a thread; null where nothing can be answered in one. */
export function threadId({ team, channel, thread }: SlackThread): string | null {
  return team === null || channel === null || thread === null ? null : `slack:${team}:${channel}:${thread}`;
}

/**
 * The thread whichever workspace tells of it: in a shared channel (Slack Connect) both companies' deliveries name the same channel
 * and timestamp, under different `team_id`s. Source: docs.slack.dev, "Understanding Slack Connect" (names differ, ids are to be used);
 * slackapi/bolt-python `test_internals.py`, whose payloads of two workspaces name one channel.
 */
export function stableThreadIds({ channel, thread }: SlackThread): readonly string[] {
  return channel === null || thread === null ? [] : [`slack:slack.com/${channel}:${thread}`];
}

/** The address that Slack's own client shows for a channel or a thread. */
export function channelUrl({ team, channel, thread }: SlackThread): string | null {
  if (team === null || channel === null) return null;
  const base = `https://app.slack.com/client/${encodeURIComponent(team)}/${encodeURIComponent(channel)}`;
  return thread === null ? base : `${base}/thread/${encodeURIComponent(`${channel}-${thread}`)}`;
}

/** Subtypes of messages in which somebody says something; the rest tell of what became of a channel or a message. */
const SPEECH = [null, 'file_share', 'thread_broadcast', 'me_message', 'bot_message'];

/** What one `event_callback` says, and by which keys the same human act is known again. */
interface Told {
  readonly event: WebhookEvent;
  readonly semanticKeys: readonly string[];
}

/**
 * Reads the envelope of the Events API. Types are Slack's: `app_mention`, `reaction_added`; messages are
 * `message.<channel_type>` (`message.channel`, `message.im`), and what happened to one is `message.<subtype>`
 * (`message.message_changed`), so that `events` can name edits apart.
 */
export function readCallback(envelope: JsonObject, prefix: string): Told {
  const event = objectAt(envelope, 'event') ?? {};
  const message = objectAt(event, 'message') ?? objectAt(event, 'previous_message') ?? event;
  const isEdited = objectAt(message, 'edited') !== null;
  const editor = textAt(message, 'edited', 'user');
  const written = writtenText(envelope, event, message, prefix);
  const text = written?.text ?? null;
  const channel = idAt(event, 'channel') ?? idAt(event, 'channel', 'id') ?? idAt(event, 'item', 'channel');
  const time = idAt(message, 'thread_ts') ?? idAt(message, 'ts') ?? idAt(event, 'item', 'ts');
  const eventId = idAt(envelope, 'event_id');
  const place = { team: idAt(envelope, 'team_id'), channel, thread: channel === null ? null : time };
  return {
    event: {
      type: typeOf(event),
      externalId: threadId(place),
      stableIds: stableThreadIds(place),
      sender: isEdited && editor === null ? null : senderOf(envelope, message, editor),
      text,
      author: text === null ? null : authorOf(message),
      textFormat: written?.textFormat ?? 'mrkdwn',
      textOrigin: isEdited ? 'edited' : 'created',
      ...(text !== null && writingOf(channel, message)),
      title: null,
      url: channelUrl(place),
      payload: envelope,
    },
    semanticKeys: [
      ...(eventId === null ? [] : [`event:${eventId}`]),
      ...(text === null ? [] : [messageKey(channel, message)]),
    ],
  };
}

function typeOf(event: JsonObject): string {
  const type = textAt(event, 'type') ?? 'event_callback';
  if (type !== 'message') return type;
  const subtype = textAt(event, 'subtype');
  const kind = SPEECH.includes(subtype) ? textAt(event, 'channel_type') : subtype;
  return kind === null ? type : `${type}.${kind}`;
}

/** Null for what says nothing new (a preview that Slack added is a `message_changed` too), and for our own posts. */
function writtenText(
  envelope: JsonObject,
  event: JsonObject,
  message: JsonObject,
  prefix: string,
): (Pick<MarkedText, 'text'> & { readonly textFormat: 'mrkdwn' | MarkedText['textFormat'] }) | null {
  const type = textAt(event, 'type');
  if (type !== 'message' && type !== 'app_mention') return null;
  const subtype = textAt(event, 'subtype');
  const isEdit = subtype === 'message_changed';
  if (!isEdit && !SPEECH.includes(subtype)) return null;
  if (isEdit && objectAt(message, 'edited') === null) return null;
  const shown = blocksText(message);
  const plain = textAt(message, 'text');
  const mentioned = firstMention(plain ?? '') ?? firstMention(shown);
  const botUser = botUserOf(envelope) ?? (type === 'app_mention' ? mentioned : null);
  const text = saidText(plain, shown, botUser);
  const before = objectAt(event, 'previous_message') ?? {};
  if (text === null || (isEdit && text === saidText(textAt(before, 'text'), blocksText(before), botUser)))
    return null;
  if (isOwn(envelope, message, botUser)) return null;
  const addressee = { botUser, prefix };
  return text === shown && text !== plain
    ? readBlocks(message, addressee)
    : { text: plainText(text, addressee), textFormat: 'mrkdwn' };
}

/** `text`, unless the blocks alone call the app or there is no text: people write both alike, apps need not. */
function saidText(text: string | null, shown: string, botUser: string | null): string | null {
  const calls = (words: string) => botUser !== null && mentions(words, botUser);
  if (shown === '' || (text !== null && text !== '' && !(calls(shown) && !calls(text)))) return text;
  return shown;
}

/** The bot user of the app that this request was sent to. */
function botUserOf(envelope: JsonObject): string | null {
  const [authorization = {}] = objectsAt(envelope, 'authorizations');
  return getPath(authorization, ['is_bot']) === true ? idAt(authorization, 'user_id') : null;
}

/** What the app itself posted never commands, even where its app id is listed among those who may. */
function isOwn(envelope: JsonObject, message: JsonObject, botUser: string | null): boolean {
  const app = appOf(message);
  const author = idAt(message, 'user');
  return (app !== null && app === idAt(envelope, 'api_app_id')) || (author !== null && author === botUser);
}

/** A message is known by channel and time of writing. */
function writingOf(channel: string | null, message: JsonObject) {
  const written = idAt(message, 'ts');
  return {
    textId: written === null ? null : `${channel}/${written}`,
    writtenAt: momentOf(idAt(message, 'edited', 'ts') ?? written),
  };
}

/** `1700000000.000123` in epoch milliseconds. */
function momentOf(ts: string | null): number | null {
  return ts !== null && /^\d{1,12}(?:\.\d{1,6})?$/.test(ts) ? Math.floor(Number(ts) * 1000) : null;
}

/**
 * One mention in a channel comes as `app_mention` and as `message`, under two event ids; in a channel that is shared with another
 * company, also under the ids of two workspaces.
 */
function messageKey(channel: string | null, message: JsonObject): string {
  const edit = idAt(message, 'edited', 'ts');
  const parts = ['message', channel, idAt(message, 'ts'), ...(edit === null ? [] : [edit])];
  return parts.join(':');
}
