import { type Block, parseMarkdown, type Span } from '../kit/markdown.ts';
import { lineIn, type Markup } from '../kit/markup.ts';

const MRKDWN: Markup = {
  marks: { bold: ['*', '*'], italic: ['_', '_'], strike: ['~', '~'], code: ['`', '`'] },
  escape: escapeSlack,
  link: (text, url) => `<${escapeSlack(url).replaceAll('|', '%7C')}|${text}>`,
};

/** Markdown as Slack's mrkdwn. Source: docs.slack.dev, "Formatting message text". */
export function toMrkdwn(markdown: string): string {
  return parseMarkdown(markdown).map(toBlock).join('\n');
}

/** The three characters that Slack reads as markup; a payload's `<!channel>` must not call everybody. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function toBlock(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `*${block.spans.map(({ text }) => escapeSlack(text)).join('')}*`;
    case 'code':
      return `\`\`\`\n${escapeSlack(block.text)}\n\`\`\``;
    case 'item':
      return `${'    '.repeat(block.depth - 1)}${block.ordered ? '1.' : '•'} ${line(block.spans)}`;
    case 'quote':
      return `> ${line(block.spans)}`;
    case 'rule':
      return '———';
    case 'paragraph':
      return `${block.lines.map(line).join('\n')}\n`;
    default:
      return block satisfies never;
  }
}

function line(spans: readonly Span[]): string {
  return lineIn(MRKDWN, spans);
}
