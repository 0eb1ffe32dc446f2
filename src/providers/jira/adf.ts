import { getPath, isJsonObject } from '../../lib/json.ts';
import { joinPieces, type MarkedText, marked, type Piece, separated } from '../../lib/text/spans.ts';
import type { JsonObject, JsonValue, WebhookEvent } from '../../types.ts';
import { type Block, parseMarkdown, type Span, type SpanStyle } from '../kit/markdown.ts';
import { objectsAt, textAt } from '../kit/payload.ts';

/** Nodes whose children form one line; the children of all others are below each other. */
const LINES = ['paragraph', 'heading', 'taskItem', 'decisionItem', 'caption'];

/**
 * Atlassian Document Format as text, with the marks of Markdown for quotes and code, so that readers see them, and with the spans that
 * the document itself tells: a backtick in its text is a backtick. Nodes that are not known give their children. Source:
 * developer.atlassian.com, "Atlassian Document Format".
 */
export function adfToText(node: JsonObject): MarkedText {
  return joinPieces(piecesOf(node));
}

function piecesOf(node: JsonObject): readonly Piece[] {
  const type = textAt(node, 'type') ?? '';
  switch (type) {
    case 'text':
      return [inline(node)];
    case 'hardBreak':
      return [{ text: '\n' }];
    case 'mention':
      // By id, as in wiki text: a name is free to be `@agent`.
      return [hidden(`[~accountid:${textAt(node, 'attrs', 'id') ?? ''}]`, 'a mention')];
    case 'emoji':
      return [hidden(textAt(node, 'attrs', 'text') ?? textAt(node, 'attrs', 'shortName') ?? '', 'an emoji')];
    case 'inlineCard':
    case 'blockCard':
    case 'embedCard':
      return [hidden(textAt(node, 'attrs', 'url') ?? '', 'an address')];
    case 'codeBlock':
      return [marked(children(node, ''), { kind: 'code', what: 'a code block' }, fenced)];
    case 'blockquote':
      return [marked(children(node, '\n'), { kind: 'quoted', what: 'a quote' }, quoted)];
    case 'listItem':
      return [{ text: '- ' }, ...children(node, '\n')];
    default:
      return children(node, LINES.includes(type) ? '' : '\n');
  }
}

function children(node: JsonObject, separator: string): readonly Piece[] {
  return separated(objectsAt(node, 'content').map(piecesOf), separator);
}

function hidden(text: string, what: string): Piece {
  return { text, mark: { kind: 'hidden', what } };
}

function inline(node: JsonObject): Piece {
  const text = textAt(node, 'text') ?? '';
  const isCode = objectsAt(node, 'marks').some((mark) => getPath(mark, ['type']) === 'code');
  return isCode ? { text: `\`${text}\``, mark: { kind: 'code', what: 'a code span' } } : { text };
}

/** The lines as a Markdown quote. */
function quoted(text: string): string {
  return text
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
}

/** The text as a Markdown code block; its fence is longer than any in the text. */
function fenced(code: string): string {
  let longest = 2;
  for (const [ticks] of code.matchAll(/`+/g)) longest = Math.max(longest, ticks.length);
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${code}\n${fence}`;
}

/** A node of the Atlassian Document Format. */
type AdfNode = Readonly<Record<string, unknown>>;

/** Markdown as ADF, for Jira Cloud. Source: developer.atlassian.com, "Atlassian Document Format". */
export function toAdf(markdown: string): readonly AdfNode[] {
  return parseMarkdown(markdown).map(toNode);
}

function toNode(block: Block): AdfNode {
  switch (block.kind) {
    case 'heading':
      return { type: 'heading', attrs: { level: block.level }, content: styledText(block.spans) };
    case 'code':
      return {
        type: 'codeBlock',
        ...(block.language !== '' && { attrs: { language: block.language } }),
        content: text(block.text),
      };
    case 'item':
      return listOf(block.ordered, paragraph([block.spans]));
    case 'quote':
      return { type: 'blockquote', content: [paragraph([block.spans])] };
    case 'rule':
      return { type: 'rule' };
    case 'paragraph':
      return paragraph(block.lines);
    default:
      return block satisfies never;
  }
}

/** Lists of one item each, which Jira shows below each other: depth is lost, no text is. */
function listOf(ordered: boolean, content: AdfNode): AdfNode {
  const item = { type: 'listItem', content: [content] };
  return { type: ordered ? 'orderedList' : 'bulletList', content: [item] };
}

function paragraph(lines: readonly (readonly Span[])[]): AdfNode {
  const content = lines.flatMap((spans, index) => [
    ...(index === 0 ? [] : [{ type: 'hardBreak' }]),
    ...styledText(spans),
  ]);
  return { type: 'paragraph', content };
}

const MARKS: Readonly<Record<SpanStyle, string | null>> = {
  plain: null,
  bold: 'strong',
  italic: 'em',
  strike: 'strike',
  code: 'code',
  link: 'link',
};

function styledText(spans: readonly Span[]): readonly AdfNode[] {
  return spans
    .filter((span) => span.text !== '')
    .map((span) => {
      const mark = MARKS[span.style];
      if (mark === null) return { type: 'text', text: span.text };
      const attrs = span.style === 'link' ? { attrs: { href: span.url } } : {};
      return { type: 'text', text: span.text, marks: [{ type: mark, ...attrs }] };
    });
}

/** ADF refuses empty text nodes. */
function text(value: string): readonly AdfNode[] {
  return value === '' ? [] : [{ type: 'text', text: value }];
}

/**
 * What somebody wrote, and how: webhooks carry wiki markup, REST v3 and some apps the Atlassian Document Format. The text is null when
 * it is neither.
 */
export function writtenText(
  value: JsonValue | undefined,
): Pick<WebhookEvent, 'text'> & Required<Pick<WebhookEvent, 'textFormat'>> {
  if (isJsonObject(value) && value.type === 'doc') return adfToText(value);
  return {
    text: typeof value === 'string' ? value.replaceAll('\r\n', '\n') : null,
    textFormat: 'jira-wiki',
  };
}
