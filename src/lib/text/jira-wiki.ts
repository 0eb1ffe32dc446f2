import type { TextSpan } from '../../types/text.ts';

/** A macro; its parameters are not shown. */
const MACRO = /\{([a-z][a-z-]{0,30})(?::[^{}\n]{0,500})?\}/iy;
const MONOSPACE = /\{\{[^{}\n]{1,2000}\}\}/y;
/** Behind a `|` the address of a link; `[~id]` is a mention, `[^name]` a file. */
const LINK = /\[(?:[~^][^[\]\n]{1,300}|([^[\]|\n]{1,500})\|[^[\]\n]{1,2000})\]/y;
/** `!pump.png|thumbnail!`: a picture or another file. */
const IMAGE = /!(?:https?:\/\/)?[^\s!|]{1,300}\.\w{2,5}(?:\|[^!\n]{1,300})?!/y;
const PAIRS: Readonly<Record<string, Pick<TextSpan, 'kind' | 'what'>>> = {
  code: { kind: 'code', what: 'a {code} block' },
  noformat: { kind: 'code', what: 'a {noformat} block' },
  quote: { kind: 'quoted', what: 'a {quote}' },
};

/**
 * What in Jira's wiki markup is quote or code. Source: jira.atlassian.com, "Text Formatting Notation Help"; backticks, fences and
 * `>` mean nothing there. A macro without its end goes on to the end of the text.
 */
export function jiraWikiSpans(text: string): readonly TextSpan[] {
  const spans: TextSpan[] = [];
  const marks = /\\[^\s]|[{[]|(?<![\p{L}\p{N}])!(?=\S)|^[ \t]*bq\. .*/gmu;
  for (let found = marks.exec(text); found !== null; found = marks.exec(text)) {
    const { index, 0: mark } = found;
    const span = mark.startsWith('\\') ? null : spanAt(text, index, mark);
    if (span === null) continue;
    spans.push(span);
    marks.lastIndex = span.to;
  }
  return spans;
}

function spanAt(text: string, from: number, mark: string): TextSpan | null {
  if (mark === '[') return linkAt(text, from);
  if (mark === '!') return imageAt(text, from);
  if (mark !== '{') return { kind: 'quoted', from, to: from + mark.length, what: 'a bq. quote' };
  const monospace = match(MONOSPACE, text, from);
  if (monospace !== null) return { kind: 'code', from, to: from + monospace[0].length, what: 'a code span' };
  const macro = match(MACRO, text, from);
  if (macro === null) return null;
  const behind = from + macro[0].length;
  const name = (macro[1] ?? '').toLowerCase();
  const pair = Object.hasOwn(PAIRS, name) ? PAIRS[name] : undefined;
  if (pair === undefined) return { kind: 'hidden', from, to: behind, what: 'a macro' };
  const closing = new RegExp(`\\{${name}\\}`, 'gi');
  closing.lastIndex = behind;
  const end = closing.exec(text);
  return { ...pair, from, to: end === null ? text.length : end.index + end[0].length };
}

function linkAt(text: string, at: number): TextSpan | null {
  const link = match(LINK, text, at);
  if (link === null) return null;
  const label = link[1] ?? '';
  const from = at + (label === '' ? 0 : 1 + label.length);
  return { kind: 'hidden', from, to: at + link[0].length, what: 'the address of a link' };
}

function imageAt(text: string, from: number): TextSpan | null {
  const image = match(IMAGE, text, from);
  return image === null ? null : { kind: 'hidden', from, to: from + image[0].length, what: 'an image' };
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
