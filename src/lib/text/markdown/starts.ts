import { CLOSING_TAG, OPEN_TAG } from './html.ts';

/** How the blocks of Markdown begin and end. Source: CommonMark 0.31.2, chapters 4 and 5; GFM 0.29, 4.10 (tables). */

export const ATX_HEADING = /^#{1,6}(?:[ \t]+|$)/;
export const SETEXT_UNDERLINE = /^(?:=+|-+)[ \t]*$/;
export const THEMATIC_BREAK = /^(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$/;
/** Behind backticks no more backticks, else they are a code span. */
export const CODE_FENCE = /^(?:`{3,}(?=[^`]*$)|~{3,})/;
export const CLOSING_FENCE = /^(?:`{3,}|~{3,})(?=[ \t]*$)/;
export const FOOTNOTE = /^\[\^[^\]\s[]{1,200}\]:/;
/** GitLab's quote of several lines; source: docs.gitlab.com, "GitLab Flavored Markdown", multiline blockquote. */
export const QUOTE_FENCE = /^>{3,}(?=[ \t]*$)/;

/** GFM's delimiter row: `| :-- | --: |`; one column needs a pipe or a colon, else it is an underline. */
const DELIMITER_ROW = /^\|?[ \t]*:?-+:?(?:[ \t]*\|[ \t]*:?-+:?)*[ \t]*\|?$/;

interface Marker {
  /** Characters of the marker itself. */
  readonly length: number;
}

/** A bullet or number that begins a list item here; in a paragraph only one with text, and numbers only from 1. */
export function listMarker(rest: string, inParagraph: boolean): Marker | null {
  const marker = /^(?:[*+-]|(\d{1,9})[.)])(?=[ \t]|$)/.exec(rest);
  if (marker === null) return null;
  const [mark, number] = marker;
  if (inParagraph && number !== undefined && Number(number) !== 1) return null;
  return inParagraph && rest.slice(mark.length).trim() === '' ? null : { length: mark.length };
}

/** Columns of a delimiter row; null when the line is none. */
export function delimiterColumns(line: string): number | null {
  if (!/^[|:-]/.test(line) || !DELIMITER_ROW.test(line.trimEnd())) return null;
  return cellsOf(line, 0).length;
}

/** Where the cells of a table row begin and end; `offset` is added to both. A pipe behind a backslash divides nothing. */
export function cellsOf(row: string, offset: number): readonly (readonly [from: number, to: number])[] {
  const cells: [number, number][] = [];
  const end = row.trimEnd().length;
  let from = row.length - row.trimStart().length;
  if (row[from] === '|') from += 1;
  for (let at = from; at < end; at += 1) {
    if (row[at] === '\\') at += 1;
    else if (row[at] === '|') {
      cells.push([offset + from, offset + at]);
      from = at + 1;
    }
  }
  if (from < end) cells.push([offset + from, offset + end]);
  return cells;
}

/** Kinds of HTML blocks 1 to 7: how each begins, and what ends it (6 and 7 end at a blank line). */
const HTML_STARTS: readonly RegExp[] = [
  /^<(?:script|pre|textarea|style)(?:\s|>|$)/i,
  /^<!--/,
  /^<\?/,
  /^<![A-Za-z]/,
  /^<!\[CDATA\[/,
  new RegExp(
    `^</?(?:${[
      'address article aside base basefont blockquote body caption center col colgroup dd details dialog dir div dl dt',
      'fieldset figcaption figure footer form frame frameset h[1-6] head header hr html iframe legend li link main menu',
      'menuitem nav noframes ol optgroup option p param search section summary table tbody td tfoot th thead title tr',
      'track ul',
    ]
      .join(' ')
      .replaceAll(' ', '|')})(?:\\s|/?>|$)`,
    'i',
  ),
  new RegExp(`^(?:${OPEN_TAG}|${CLOSING_TAG})[ \\t]*$`, 'i'),
];
const HTML_ENDS: readonly RegExp[] = [/<\/(?:script|pre|textarea|style)>/i, /-->/, /\?>/, />/, /\]\]>/];

/** Which kind of HTML block begins here; null for none. Kind 7 does not interrupt a paragraph. */
export function htmlBlockKind(rest: string, inParagraph: boolean): number | null {
  const kind = rest.startsWith('<') ? HTML_STARTS.findIndex((start) => start.test(rest)) + 1 : 0;
  return kind === 0 || (kind === 7 && inParagraph) ? null : kind;
}

/** Whether a line ends an HTML block of kinds 1 to 5. */
export function endsHtmlBlock(kind: number, line: string): boolean {
  return HTML_ENDS[kind - 1]?.test(line) === true;
}

export function endsAtBlankLine(kind: number): boolean {
  return kind > HTML_ENDS.length;
}
