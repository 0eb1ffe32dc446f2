import { type Block, parseMarkdown, type Span } from '../kit/markdown.ts';
import { lineIn, type Markup } from '../kit/markup.ts';

const WIKI: Markup = {
  marks: { bold: ['*', '*'], italic: ['_', '_'], strike: ['-', '-'], code: ['{{', '}}'] },
  escape: escapeWiki,
  link: (text, url) => `[${text}|${url.replaceAll('|', '%7C').replaceAll(']', '%5D')}]`,
};

/** Markdown as Jira's wiki text, for Data Center. Source: Jira's "Text Formatting Notation Help". */
export function toWiki(markdown: string): string {
  return parseMarkdown(markdown).map(toBlock).join('\n');
}

function toBlock(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `h${block.level}. ${line(block.spans)}`;
    case 'code':
      // Nothing inside can end it but its own word.
      return `{noformat}\n${block.text.replaceAll('{noformat}', '{ noformat}')}\n{noformat}`;
    case 'item':
      return `${(block.ordered ? '#' : '*').repeat(block.depth)} ${line(block.spans)}`;
    case 'quote':
      return `bq. ${line(block.spans)}`;
    case 'rule':
      return '----';
    case 'paragraph':
      return `${block.lines.map(line).join('\n')}\n`;
    default:
      return block satisfies never;
  }
}

function line(spans: readonly Span[]): string {
  return lineIn(WIKI, spans);
}

/** Macros, links, mentions and images: text from outside must not make any. */
function escapeWiki(text: string): string {
  return text.replace(/[{}[\]!|~^]/g, '\\$&');
}
