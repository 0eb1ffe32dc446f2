import { getPath } from '../../lib/json.ts';
import { objectsAt, textAt } from '../../lib/payload.ts';
import type { JsonObject } from '../../types.ts';

/** Nodes whose children stand in one line; the children of all others stand below each other. */
const LINES = ['paragraph', 'heading', 'taskItem', 'decisionItem', 'caption'];

/**
 * Atlassian Document Format as text, with the marks of Markdown where they decide who speaks: quotes and code.
 * Nodes that are not known give their children. Source: developer.atlassian.com, "Atlassian Document Format".
 */
export function adfToText(node: JsonObject): string {
  const type = textAt(node, 'type') ?? '';
  switch (type) {
    case 'text':
      return inline(node);
    case 'hardBreak':
      return '\n';
    case 'mention':
      // By id, as in wiki text: a name is free to be `@agent`.
      return `[~accountid:${textAt(node, 'attrs', 'id') ?? ''}]`;
    case 'emoji':
      return textAt(node, 'attrs', 'text') ?? textAt(node, 'attrs', 'shortName') ?? '';
    case 'inlineCard':
    case 'blockCard':
      return textAt(node, 'attrs', 'url') ?? '';
    case 'codeBlock':
      return fenced(objectsAt(node, 'content').map(adfToText).join(''));
    case 'blockquote':
      return quoted(children(node, '\n'));
    case 'listItem':
      return `- ${children(node, '\n')}`;
    default:
      return children(node, LINES.includes(type) ? '' : '\n');
  }
}

/** The lines as a Markdown quote. */
export function quoted(text: string): string {
  return text
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
}

/** The text as a Markdown code block; its fence is longer than any in the text. */
export function fenced(code: string): string {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${code}\n${fence}`;
}

function children(node: JsonObject, separator: string): string {
  return objectsAt(node, 'content').map(adfToText).join(separator);
}

function inline(node: JsonObject): string {
  const text = textAt(node, 'text') ?? '';
  const isCode = objectsAt(node, 'marks').some((mark) => getPath(mark, ['type']) === 'code');
  return isCode ? `\`${text}\`` : text;
}
