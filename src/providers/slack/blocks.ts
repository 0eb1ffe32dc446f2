import { getPath } from '../../lib/json.ts';
import { textSpans } from '../../lib/text/index.ts';
import { joinPieces, type MarkedText, marked, type Piece, separated } from '../../lib/text/spans.ts';
import type { JsonObject, JsonValue } from '../../types.ts';
import { idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';
import { type Addressee, escapeText, mentions, plainText } from './text.ts';

/**
 * A stretch of blocks in Slack's own escaped text. `dialect`: its marks count; without it a backtick is only a backtick, and `mark` says
 * what the document makes of it.
 */
interface BlockPiece extends Piece {
  readonly dialect?: 'mrkdwn' | 'markdown';
}

/**
 * What a message shows: apps write it as blocks, with a `text` for notifications that need not say the same. Text blocks are the
 * writer's words; attachments (previews of links, messages that were shared), cards and buttons are left out. Empty: there are no such
 * blocks. Source: @slack/types `RichTextBlock`, `SectionBlock`, `HeaderBlock`, `ContextBlock`; docs.slack.dev, "Rich text block".
 */
export function blocksText(message: JsonObject): string {
  return piecesOf(message)
    .map(({ text }) => text)
    .join('');
}

/** The same as a person reads it, with its spans. */
export function readBlocks(message: JsonObject, addressee: Addressee): MarkedText {
  const pieces = piecesOf(message);
  return joinPieces(
    pieces.flatMap((piece, index) => {
      const isCall =
        addressee.botUser !== null && isMention(piece.text) && mentions(piece.text, addressee.botUser);
      const text = plainText(piece.text, addressee);
      if (piece.dialect !== undefined) return withSpans(text, piece.dialect);
      if (!isCall) return [{ ...piece, text }];
      // A mention is a word of its own, whatever is written directly beside it.
      const before = /\S$/.test(pieces[index - 1]?.text ?? '') ? ' ' : '';
      const after = /^[\p{L}\p{N}]/u.test(pieces[index + 1]?.text ?? '') ? ' ' : '';
      return [{ text: before + text + after }];
    }),
  );
}

function isMention(text: string): boolean {
  return /^<@[^<>]+>$/.test(text);
}

/** A text in a dialect as pieces, each of one kind. */
function withSpans(text: string, dialect: 'mrkdwn' | 'markdown'): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const { from, to, kind, what } of textSpans(text, dialect)) {
    pieces.push({ text: text.slice(at, from) }, { text: text.slice(from, to), mark: { kind, what } });
    at = to;
  }
  return [...pieces, { text: text.slice(at) }];
}

function piecesOf(message: JsonObject): readonly BlockPiece[] {
  const blocks = objectsAt(message, 'blocks').map(blockPieces);
  return separated(
    blocks.filter((pieces) => pieces.some(({ text }) => text !== '')),
    '\n',
  );
}

function blockPieces(block: JsonObject): readonly BlockPiece[] {
  switch (textAt(block, 'type')) {
    case 'rich_text':
      return separated(objectsAt(block, 'elements').map(richText), '\n');
    case 'section':
      return separated([objectAt(block, 'text') ?? {}, ...objectsAt(block, 'fields')].map(textObject), '\n');
    case 'header':
      return textObject(objectAt(block, 'text') ?? {});
    case 'context':
      return separated(objectsAt(block, 'elements').map(textObject), '\n');
    case 'markdown':
      return [{ text: escapeText(textAt(block, 'text') ?? ''), dialect: 'markdown' }];
    default:
      return [];
  }
}

/** A text object: `mrkdwn` or `plain_text`; an image in a context block has no words. */
function textObject(object: JsonObject): readonly BlockPiece[] {
  const text = textAt(object, 'text') ?? '';
  if (text === '') return [];
  return textAt(object, 'type') === 'mrkdwn' ? [{ text, dialect: 'mrkdwn' }] : [{ text: escapeText(text) }];
}

function richText(element: JsonObject): readonly BlockPiece[] {
  const inside = objectsAt(element, 'elements');
  switch (textAt(element, 'type')) {
    case 'rich_text_section':
      return inside.map(inline);
    case 'rich_text_list': {
      const items = separated(
        inside.map((item) => [{ text: '• ' }, ...richText(item)]),
        '\n',
      );
      // A list with a border is one in a quote: docs.slack.dev, "Rich text block", `border`.
      const isQuoted = (getPath(element, ['border']) ?? 0) !== 0;
      return isQuoted ? [marked(items, { kind: 'quoted', what: 'a quote' }, quoted)] : items;
    }
    case 'rich_text_quote':
      return [marked(inside.map(inline), { kind: 'quoted', what: 'a quote' }, quoted)];
    case 'rich_text_preformatted':
      return [
        marked(inside.map(inline), { kind: 'code', what: 'a code block' }, (code) => `\`\`\`${code}\`\`\``),
      ];
    default:
      return [];
  }
}

function quoted(text: string): string {
  return text
    .split('\n')
    .map((line) => `&gt; ${line}`)
    .join('\n');
}

function inline(element: JsonObject): BlockPiece {
  const text = inlineText(element, textAt(element, 'type') ?? '');
  const isCode = getPath(element, ['style', 'code']) === true;
  return isCode ? { text: `\`${text}\``, mark: { kind: 'code', what: 'a code span' } } : { text };
}

function inlineText(element: JsonValue, type: string): string {
  const id = (name: string) => idAt(element, name) ?? '';
  switch (type) {
    case 'text':
      return escapeText(textAt(element, 'text') ?? '');
    case 'user':
      return `<@${id('user_id')}>`;
    case 'usergroup':
      return `<!subteam^${id('usergroup_id')}>`;
    case 'channel':
      return `<#${id('channel_id')}>`;
    case 'broadcast':
      return `<!${id('range')}>`;
    case 'link': {
      const label = textAt(element, 'text');
      const url = escapeText(id('url')).replaceAll('|', '%7C');
      return label === null ? `<${url}>` : `<${url}|${escapeText(label)}>`;
    }
    case 'emoji':
      return `:${id('name')}:`;
    case 'date':
      return escapeText(id('fallback'));
    default:
      return '';
  }
}
