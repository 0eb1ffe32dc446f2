import { type Block, parseMarkdown, type Span, type SpanStyle } from '../kit/markdown.ts';

/** A node of the Atlassian Document Format. */
type AdfNode = Readonly<Record<string, unknown>>;

/** Markdown as ADF, for Jira Cloud. Source: developer.atlassian.com, "Atlassian Document Format". */
export function toAdf(markdown: string): readonly AdfNode[] {
  return parseMarkdown(markdown).map(toNode);
}

function toNode(block: Block): AdfNode {
  switch (block.kind) {
    case 'heading':
      return { type: 'heading', attrs: { level: block.level }, content: inline(block.spans) };
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
    ...inline(spans),
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

function inline(spans: readonly Span[]): readonly AdfNode[] {
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
