import { getPath } from '../../lib/json.ts';
import { joinPieces, type MarkedText, marked, type Piece, separated } from '../../lib/text/pieces.ts';
import type { JsonObject } from '../../types.ts';
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
