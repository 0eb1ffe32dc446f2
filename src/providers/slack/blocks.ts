import { getPath } from '../../lib/json.ts';
import { idAt, objectsAt, textAt } from '../../lib/payload.ts';
import type { JsonObject } from '../../types.ts';
import { escapeText } from './text.ts';

/**
 * What a message shows, as Slack's own text: apps write it as blocks, with a `text` for notifications that need not say the same.
 * Rich text and sections are the writer's words; attachments (previews of links, messages that were shared) and cards are left out.
 * Empty: there are no such blocks. Source: @slack/types `RichTextBlock`, `SectionBlock`; docs.slack.dev, "Rich text block".
 */
export function blocksText(message: JsonObject): string {
  return objectsAt(message, 'blocks').map(blockText).filter(Boolean).join('\n');
}

function blockText(block: JsonObject): string {
  switch (textAt(block, 'type')) {
    case 'rich_text':
      return objectsAt(block, 'elements').map(richText).join('\n');
    case 'section': {
      const text = textAt(block, 'text', 'text') ?? '';
      return textAt(block, 'text', 'type') === 'mrkdwn' ? text : escapeText(text);
    }
    default:
      return '';
  }
}

function richText(element: JsonObject): string {
  const inside = objectsAt(element, 'elements');
  switch (textAt(element, 'type')) {
    case 'rich_text_section':
      return inside.map(inline).join('');
    case 'rich_text_list':
      return inside.map((item) => `• ${richText(item)}`).join('\n');
    case 'rich_text_quote':
      return inside
        .map(inline)
        .join('')
        .split('\n')
        .map((line) => `&gt; ${line}`)
        .join('\n');
    case 'rich_text_preformatted':
      return `\`\`\`${inside.map(inline).join('')}\`\`\``;
    default:
      return '';
  }
}

function inline(element: JsonObject): string {
  const id = (name: string) => idAt(element, name) ?? '';
  switch (textAt(element, 'type')) {
    case 'text': {
      const text = escapeText(textAt(element, 'text') ?? '');
      return getPath(element, ['style', 'code']) === true ? `\`${text}\`` : text;
    }
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
    default:
      return '';
  }
}
