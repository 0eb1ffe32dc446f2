import type {
  Account,
  CallAnswer,
  OutgoingCall,
  Post,
  PostButton,
  ReplyChannel,
  Sent,
  ThreadRef,
  WebhookEvent,
} from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { BUTTON_PREFIX } from '../kit/event.ts';
import { inert } from '../kit/inert.ts';
import { type Markup, markupOf } from '../kit/markdown.ts';
import { isBy, plainMarker } from '../kit/marker.ts';
import { idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';
import { answerJson } from '../kit/reply.ts';
import { escapeText } from './text.ts';

/** Source: docs.slack.dev, "Formatting message text". A payload's `<!channel>` must not call everybody. */
const MRKDWN: Markup = {
  marks: { bold: ['*', '*'], italic: ['_', '_'], strike: ['~', '~'], code: ['`', '`'] },
  escape: escapeText,
  link: (text, url) => `<${escapeText(url).replaceAll('|', '%7C')}|${text}>`,
  heading: (_, { plain }) => `*${plain}*`,
  code: (text) => `\`\`\`\n${escapeText(text)}\n\`\`\``,
  item: (line, { ordered, depth }) => `${'    '.repeat(depth - 1)}${ordered ? '1.' : '•'} ${line}`,
  quote: (line) => `> ${line}`,
  rule: '———',
};

/** Markdown as Slack's mrkdwn. */
export function toMrkdwn(markdown: string): string {
  return markupOf(MRKDWN, markdown);
}

/** "up to 5 times within 30 minutes" (docs.slack.dev, Handling user interaction). */
const RESPOND = { lifetimeMs: 1_800_000, uses: 5 };
const RESPONSE_ORIGIN = 'https://hooks.slack.com';
const MARK_EVENT = 'hookctl_post';
/** Errors that say "not now"; every other one would come again. Source: docs.slack.dev, chat.postMessage. */
const NOT_NOW = [
  'ratelimited',
  'rate_limited',
  'request_timeout',
  'service_unavailable',
  'internal_error',
  'fatal_error',
];
const DONE = ['already_reacted'];

/**
 * Messages in the thread, notes that only the sender sees, and `response_url`. The mark of a post is in its metadata,
 * where no one reads it. Slack answers 200 also when it refuses. Source: docs.slack.dev, "Web API".
 */
export const reply: ReplyChannel = {
  account: PROVIDERS.slack.account,
  inert: inert.escaped,
  // A text is cut by Slack at 40,000 and split in its clients above 4,000; escapes can make it longer.
  textLimit: 12_000,

  place: (event) => placeOf(event),

  immediate: () => ({ kind: 'ephemeral' }),

  authorize: ({ token }) => ({ authorization: `Bearer ${token.reveal()}` }),

  comment: (account, place, post) =>
    method(account, 'chat.postMessage', {
      channel: place.channel,
      ...(place.thread != null && { thread_ts: place.thread }),
      ...message(post),
      ...(hasButtons(post) && { blocks: blocksOf(post) }),
      metadata: { event_type: MARK_EVENT, event_payload: { mark: plainMarker(post.id) } },
      unfurl_links: false,
    }),

  edit(account, place, remoteId, post) {
    const { channel, ts } = postAt(place, remoteId);
    return method(account, 'chat.update', {
      channel,
      ts,
      ...message(post),
      // Slack keeps the blocks of a message whose edit names none.
      ...(post.buttons !== undefined && { blocks: blocksOf(post) }),
      metadata: { event_type: MARK_EVENT, event_payload: { mark: plainMarker(post.id) } },
    });
  },

  find(account, place, since) {
    const inThread = place.thread != null;
    const query = new URLSearchParams({
      channel: place.channel ?? '',
      ...(inThread ? { ts: place.thread ?? '' } : {}),
      // Seconds; a little earlier, because clocks differ.
      oldest: String(Math.floor(since / 1000) - 300),
      include_all_metadata: 'true',
      limit: '200',
    });
    const name = inThread ? 'conversations.replies' : 'conversations.history';
    return { method: 'GET', url: `${account.baseUrl}/${name}?${query}`, body: null };
  },

  whoami: {
    call: (account) => ({ method: 'GET', url: `${account.baseUrl}/auth.test`, body: null }),
    read: (answer) => idAt(answerJson(answer), 'user_id'),
  },

  readPage(_, answer, id, author) {
    const found = objectsAt(answerJson(answer), 'messages').find(
      (each) =>
        textAt(each, 'metadata', 'event_payload', 'mark') === plainMarker(id) &&
        isBy(author, idAt(each, 'user')),
    );
    return { id: idAt(found, 'ts'), next: null };
  },

  react: (account, place, emoji) =>
    method(account, 'reactions.add', { channel: place.channel, timestamp: place.message, name: emoji }),

  ephemeral: (account, place, post) =>
    method(account, 'chat.postEphemeral', {
      channel: place.channel,
      user: place.user,
      ...(place.thread != null && place.thread !== place.message && { thread_ts: place.thread }),
      ...message(post),
    }),

  respond: {
    ...RESPOND,
    call: (account, { responseUrl }, post, inChannel) =>
      responseUrl == null || !isResponseUrl(account, responseUrl)
        ? null
        : {
            method: 'POST',
            url: responseUrl,
            body: {
              response_type: inChannel ? 'in_channel' : 'ephemeral',
              replace_original: false,
              ...message(post),
            },
          },
  },

  classify,
  /** `C1:1700000000.000100:T1`: a post to a member is in another channel than its place names. */
  postedId(answer) {
    const said = answerJson(answer);
    const ts = idAt(said, 'ts');
    if (ts === null) return idAt(said, 'message_ts');
    const [channel, team] = [idAt(said, 'channel'), idAt(said, 'message', 'team')];
    return channel === null && team === null ? ts : `${channel ?? ''}:${ts}:${team ?? ''}`;
  },

  isPost(place, remoteId, pressed) {
    const [known, seen] = [postAt(place, remoteId), postAt(place, pressed)];
    const isOther = known.team !== '' && seen.team !== '' && known.team !== seen.team;
    return known.channel === seen.channel && known.ts === seen.ts && !isOther;
  },
};

/** Where a post is, by the id that `postedId` or a page of its thread told. */
function postAt(place: ThreadRef, remoteId: string) {
  const [channel = '', ts = '', team = ''] = remoteId.includes(':')
    ? remoteId.split(':')
    : [place.channel ?? '', remoteId];
  return { channel: channel || (place.channel ?? ''), ts, team: team || (place.team ?? '') };
}

function hasButtons({ buttons = [] }: Post): boolean {
  return buttons.length > 0;
}

/** "Maximum length for the text in this field is 3000 characters." (docs.slack.dev, Section block) */
const SECTION = 2_900;
const STYLES: Readonly<Partial<Record<PostButton['action'], string>>> = {
  approve: 'primary',
  reject: 'danger',
  cancel: 'danger',
};

/** The text in sections, and the buttons; none without buttons. */
function blocksOf(post: Post): readonly object[] {
  const { buttons = [] } = post;
  if (buttons.length === 0) return [];
  return [
    ...sections(toMrkdwn(post.text)).map((text) => ({ type: 'section', text: { type: 'mrkdwn', text } })),
    {
      type: 'actions',
      elements: buttons.map(({ action, label, value }) => ({
        type: 'button',
        text: { type: 'plain_text', text: label },
        action_id: `${BUTTON_PREFIX}${action}`,
        value,
        ...(STYLES[action] !== undefined && { style: STYLES[action] }),
      })),
    },
  ];
}

/** A text in pieces that fit a section, cut at lines; code that is cut goes on as code. */
function sections(text: string): readonly string[] {
  const pieces: string[] = [];
  let piece = '';
  let isCode = false;
  for (const line of text.split('\n').flatMap((each) => each.match(/.{1,2500}/gsu) ?? [''])) {
    if (piece.length + line.length > SECTION) {
      pieces.push(isCode ? `${piece}\n\`\`\`` : piece);
      piece = isCode ? '```' : '';
    }
    piece = piece === '' ? line : `${piece}\n${line}`;
    if (line.startsWith('```')) isCode = !isCode;
  }
  return [...pieces, piece].filter((each) => each.trim() !== '');
}

/** Events name channel, message and user in three shapes: Events API, slash command, interaction. */
function placeOf({ payload }: WebhookEvent): ThreadRef | null {
  const event = objectAt(payload, 'event') ?? payload;
  const channel =
    idAt(payload, 'channel_id') ??
    idAt(event, 'channel', 'id') ??
    idAt(event, 'channel') ??
    idAt(event, 'item', 'channel') ??
    idAt(payload, 'container', 'channel_id');
  if (channel === null) return null;
  const message =
    idAt(event, 'ts') ??
    idAt(event, 'message', 'ts') ??
    idAt(event, 'item', 'ts') ??
    idAt(payload, 'container', 'message_ts');
  const thread =
    idAt(event, 'thread_ts') ??
    idAt(event, 'message', 'thread_ts') ??
    idAt(payload, 'container', 'thread_ts');
  return {
    host: null,
    team: idAt(payload, 'team_id') ?? idAt(payload, 'team', 'id'),
    channel,
    message,
    thread: thread ?? message,
    user: idAt(payload, 'user_id') ?? idAt(event, 'user', 'id') ?? idAt(event, 'user'),
    responseUrl: textAt(payload, 'response_url'),
  };
}

function method({ baseUrl }: Account, name: string, body: object): OutgoingCall {
  return { method: 'POST', url: `${baseUrl}/${name}`, body };
}

function message({ text }: Post) {
  return { text: toMrkdwn(text) };
}

/** The one URL of a payload that is used, and only at Slack itself, or where the operator says that Slack is. */
function isResponseUrl({ baseUrl }: Account, url: string): boolean {
  const origin = URL.parse(url)?.origin;
  return (
    origin === RESPONSE_ORIGIN ||
    (origin === new URL(baseUrl).origin && !baseUrl.startsWith('https://slack.com'))
  );
}

function classify(answer: CallAnswer): Sent | null {
  if (answer.status !== 200) return null;
  // `response_url` answers with the word alone.
  if (answer.text.trim() === 'ok') return { result: 'done', id: null };
  const said = answerJson(answer);
  const error = textAt(said, 'error');
  if (error === null || DONE.includes(error)) return null;
  if (NOT_NOW.includes(error))
    return { result: 'again', reason: error, afterMs: null, certain: error.startsWith('rate') };
  return { result: 'refused', reason: error };
}
