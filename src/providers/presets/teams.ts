import type { CallAnswer, Post, ReplyChannel, Sent } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { call } from '../kit/comments.ts';
import { inert } from '../kit/inert.ts';
import { type Block, parseMarkdown, type Span, type SpanStyle } from '../kit/markdown.ts';
import { plainMarker } from '../kit/marker.ts';
import { idAt } from '../kit/payload.ts';

/** A message may have 28 KB; the rest is what is around the rows. */
const MOST_BYTES = 24_000;

type Style = Readonly<Record<string, string | boolean>>;
interface Row {
  readonly type: 'RichTextBlock';
  readonly spacing: 'Default' | 'None';
  readonly inlines: readonly object[];
}

const STYLES: Readonly<Record<SpanStyle, Style>> = {
  plain: {},
  bold: { weight: 'Bolder' },
  italic: { italic: true },
  strike: { strikethrough: true },
  code: { fontType: 'Monospace' },
  link: {},
};

/**
 * An Adaptive Card to the channel of an incoming webhook or of a workflow "When a Teams webhook request is received". Its URL is all
 * that it wants, and it is the secret. It names no post and shows none, so that a post is neither looked for nor edited.
 * Source: learn.microsoft.com/microsoftteams, "Create an Incoming Webhook"; adaptivecards.io, RichTextBlock.
 */
export const teamsReply: ReplyChannel = {
  account: PROVIDERS.teams.account,
  inert: inert.escaped,
  textLimit: 6_000,
  place({ payload }) {
    const conversation = idAt(payload, 'conversation', 'id');
    return conversation === null ? null : { host: null, conversation };
  },
  immediate: () => null,
  authorize: () => ({}),
  comment: ({ token }, { conversation }, post) =>
    call('POST', token.reveal(), { ...messageOf(post), ...threadOf(conversation ?? '') }),
  classify: readAnswer,
  postedId: () => null,
};

/**
 * What a workflow needs to answer in the thread ("Reply with adaptive card in a channel"); others post to their channel and read none of
 * it. In Teams' own names.
 */
function threadOf(conversation: string): object {
  const [id, root] = conversation.split(';messageid=');
  return root === undefined ? {} : { replyToId: root, conversation: { id } };
}

function messageOf({ id, text }: Post): object {
  const mark = { ...run(plainMarker(id)), isSubtle: true, size: 'Small' };
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [...shortened(parseMarkdown(text).flatMap(rowsOf)), row([mark])],
    msteams: { width: 'Full' },
  };
  const contentType = 'application/vnd.microsoft.card.adaptive';
  return { type: 'message', attachments: [{ contentType, contentUrl: null, content }] };
}

/** The text of a run is shown as it is: Teams reads no Markdown and no mention in it. */
function run(text: string, style: Style = {}): object {
  return { type: 'TextRun', text, ...style };
}

function row(inlines: readonly object[], at = 0): Row {
  return { type: 'RichTextBlock', spacing: at === 0 ? 'Default' : 'None', inlines };
}

function runsOf(spans: readonly Span[], style: Style = {}): readonly object[] {
  return spans.map(({ style: kind, text, url }) => ({
    ...run(text, { ...STYLES[kind], ...style }),
    ...(url !== '' && { selectAction: { type: 'Action.OpenUrl', url } }),
  }));
}

function rowsOf(block: Block): readonly Row[] {
  switch (block.kind) {
    case 'heading':
      return [row(runsOf(block.spans, STYLES.bold))];
    case 'code':
      // Blanks at the beginning of a line would not be shown.
      return block.text.split('\n').map((line, at) =>
        row(
          [
            run(
              line.replace(/^\s+/, (blank) => '\u00A0'.repeat(blank.length)),
              STYLES.code,
            ),
          ],
          at,
        ),
      );
    case 'item':
      return [row([run(`${'\u00A0\u00A0'.repeat(block.depth - 1)}• `), ...runsOf(block.spans)], 1)];
    case 'quote':
      return [row([run('│ '), ...runsOf(block.spans, { isSubtle: true })], 1)];
    case 'rule':
      return [row([run('———')])];
    case 'paragraph':
      return block.lines.map((spans, at) => row(runsOf(spans), at));
    default:
      return block satisfies never;
  }
}

function shortened(rows: readonly Row[]): readonly Row[] {
  let bytes = 0;
  const tooMany = rows.findIndex((each) => {
    bytes += Buffer.byteLength(JSON.stringify(each));
    return bytes > MOST_BYTES;
  });
  return tooMany === -1 ? rows : [...rows.slice(0, tooMany), row([run('…')])];
}

/** An incoming webhook of the old kind answers 200 with the error of the service behind it. */
function readAnswer({ status, text }: CallAnswer): Sent | null {
  const [reason, code] = /endpoint returned HTTP error (\d{3})/.exec(text) ?? [];
  if (status !== 200 || reason === undefined) return null;
  if (code === '429') return { result: 'again', reason, afterMs: null, certain: true };
  if (code?.startsWith('5')) return { result: 'again', reason, afterMs: null, certain: false };
  return { result: 'refused', reason };
}
