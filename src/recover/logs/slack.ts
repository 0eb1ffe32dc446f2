import type { ApiAnswer, ApiRequest, SenderApi } from '../../connect/api.ts';
import type { LoggedAttempt, ReadOrder, WholeLog } from '../../connect/connector.ts';
import { idAt, objectsAt, textAt } from '../../providers/kit/payload.ts';
import type { JsonObject, JsonValue } from '../../types.ts';

const DAY_MS = 86_400_000;
/** Threads that began at most so long before are read as well. */
const THREADS_MS = 3 * DAY_MS;
const MARGIN_MS = 10 * 60_000;
/** Subtypes in which a person says something. */
const SPEECH: readonly (string | null)[] = [null, 'file_share', 'thread_broadcast', 'me_message'];

/**
 * What people said since, where the app is a member: Slack keeps no log of its events. Source: docs.slack.dev, `auth.test`,
 * `users.conversations`, `conversations.history`, `conversations.replies`; @slack/web-api 8.
 */
export const slackLog: WholeLog = {
  windowMs: 30 * DAY_MS,
  untold:
    'edits, reactions, slash commands, clicks, and replies in threads that began more than 3 days before',
  read: readMessages,
};

async function* readMessages(api: SenderApi, { ageMs, events, now }: ReadOrder) {
  const who = await api.call(method('auth.test', {}));
  yield { answer: who, attempts: [] };
  const told = Date.parse(who.headers.date ?? '');
  const oldest = (Number.isNaN(told) ? now() : told) - ageMs - MARGIN_MS;
  const app = {
    team: textAt(who.json, 'team_id'),
    bot: textAt(who.json, 'user_id'),
    id: textAt(who.json, 'app_id'),
  };
  const list = { types: kindsOf(events).join(','), exclude_archived: 'true', limit: '200' };
  for await (const page of api.pages(method('users.conversations', list), next)) {
    for (const channel of objectsAt(page.json, 'channels')) {
      const id = idAt(channel, 'id') ?? '';
      const first = method('conversations.history', {
        ...{ channel: id, limit: '200', oldest: seconds(oldest - THREADS_MS) },
      });
      for await (const answer of api.pages(first, next)) {
        const messages = objectsAt(answer.json, 'messages');
        yield { answer, attempts: attemptsOf(messages, { channel, app, events, oldest }) };
        for (const parent of messages) {
          if (!(Number(textAt(parent, 'latest_reply') ?? 0) * 1000 >= oldest)) continue;
          const thread = {
            channel: id,
            ts: textAt(parent, 'ts') ?? '',
            limit: '200',
            oldest: seconds(oldest),
          };
          for await (const replies of api.pages(method('conversations.replies', thread), next)) {
            const said = objectsAt(replies.json, 'messages');
            yield { answer: replies, attempts: attemptsOf(said, { channel, app, events, oldest }) };
          }
        }
      }
    }
  }
}

function method(name: string, query: Readonly<Record<string, string>>): ApiRequest {
  return { method: 'GET', path: `/${name}?${new URLSearchParams(query)}`, body: null };
}

function next({ json }: ApiAnswer, request: ApiRequest): ApiRequest | null {
  const cursor = textAt(json, 'response_metadata', 'next_cursor');
  if (cursor === null || cursor === '') return null;
  const { pathname, searchParams } = new URL(request.path, 'http://slack');
  return {
    ...request,
    path: `${pathname}?${new URLSearchParams({ ...Object.fromEntries(searchParams), cursor })}`,
  };
}

function seconds(at: number): string {
  return (Math.max(0, at) / 1000).toFixed(6);
}

/** Which channels the events of a hook come from. */
function kindsOf(events: readonly string[]): readonly string[] {
  const kinds = events.flatMap((name): readonly string[] => {
    if (name === 'app_mention') return ['public_channel', 'private_channel', 'mpim'];
    if (name === 'message.channels') return ['public_channel'];
    if (name === 'message.groups') return ['private_channel'];
    return name === 'message.im' || name === 'message.mpim' ? [name.slice('message.'.length)] : [];
  });
  return kinds.length === 0 ? ['public_channel'] : [...new Set(kinds)];
}

interface Place {
  readonly channel: JsonObject;
  readonly app: { readonly team: string | null; readonly bot: string | null; readonly id: string | null };
  readonly events: readonly string[];
  readonly oldest: number;
}

/** The messages for which Slack sent an event, as it would have sent it. */
function attemptsOf(messages: readonly JsonObject[], place: Place): readonly LoggedAttempt[] {
  return messages.flatMap((message) => {
    const ts = textAt(message, 'ts');
    const at = Number(ts ?? Number.NaN) * 1000;
    const isOwn = idAt(message, 'user') === place.app.bot;
    if (ts === null || isOwn || !(at >= place.oldest) || !SPEECH.includes(textAt(message, 'subtype')))
      return [];
    const kind = kindOf(place.channel);
    const isMention = kind !== 'im' && (textAt(message, 'text') ?? '').includes(`<@${place.app.bot}`);
    const isSent = (name: string) => place.events.includes(name);
    const type =
      isMention && isSent('app_mention') ? 'app_mention' : isSent(SENT_AS[kind]) ? 'message' : null;
    if (type === null) return [];
    const id = `fetched:${idAt(place.channel, 'id')}:${ts}`;
    const payload = envelope(message, { ...place, type, kind });
    const eventType = type === 'message' ? `message.${kind}` : type;
    return [{ id, deliveryId: id, at, hasArrived: false, eventType, request: { headers: {}, payload } }];
  });
}

type Kind = keyof typeof SENT_AS;
/** The names of the subscriptions, by the type of channel that a message names. */
const SENT_AS = {
  ...{ channel: 'message.channels', group: 'message.groups' },
  ...{ im: 'message.im', mpim: 'message.mpim' },
} as const;

function kindOf(channel: JsonObject): Kind {
  if (channel.is_im === true) return 'im';
  if (channel.is_mpim === true) return 'mpim';
  return channel.is_private === true ? 'group' : 'channel';
}

function envelope(
  message: JsonObject,
  { channel, app, type, kind }: Place & { readonly type: string; readonly kind: Kind },
): JsonObject {
  const event: JsonObject = {
    ...message,
    ...{ type, channel: idAt(channel, 'id') ?? '', event_ts: textAt(message, 'ts') ?? '' },
    ...(type === 'message' && { channel_type: kind }),
  };
  const authorization: JsonObject = { team_id: app.team, user_id: app.bot, is_bot: true };
  const isShared: JsonValue = channel.is_ext_shared === true;
  return {
    ...{ type: 'event_callback', team_id: app.team, api_app_id: app.id, event },
    ...{ authorizations: [authorization], is_ext_shared_channel: isShared },
  };
}
