import type { TextSpan } from '../../types/text.ts';
import { LONGEST_TEXT, type Markup, textSpans } from './index.ts';
import { spanFinder } from './spans.ts';

/** A prefix that the writer says, and the text after it. */
export interface Mention {
  /** Where the prefix begins. */
  readonly index: number;
  /** The first word behind the prefix, without the punctuation around it; empty when none is said. */
  readonly word: string;
  /** The text behind the word, and behind the prefix; trimmed. */
  readonly afterWord: string;
  readonly afterPrefix: string;
  /** Nothing is said before it. */
  readonly isFirst: boolean;
}

export type Search =
  | { readonly mention: Mention }
  /** `reason`: why the text mentions nothing, in words. */
  | { readonly mention: null; readonly reason: string };

/** The first place where a text's writer says the prefix as a whole word: between two characters that are part of no word. */
export function findMention(text: string, markup: Markup, prefix: string): Search {
  if (text.length > LONGEST_TEXT) {
    const limit = LONGEST_TEXT.toLocaleString('en');
    return {
      mention: null,
      reason: `the text is longer than ${limit} characters and was not searched for \`${prefix}\``,
    };
  }
  const literal = new RegExp(prefix.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'giu');
  if (!literal.test(text)) return { mention: null, reason: `the text has no \`${prefix}\`` };
  literal.lastIndex = 0;
  const spans = textSpans(text, markup);
  const spanAt = spanFinder(spans);
  let reason: string | null = null;
  for (const { index, 0: found } of text.matchAll(literal)) {
    const end = index + found.length;
    const span = spanAt(index);
    const obstacle = isWord(text, index, end)
      ? whySilent(text, span, { index, end })
      : 'is part of a longer word';
    if (obstacle === null) return { mention: read(text, spans, { index, end }) };
    reason ??= `\`${prefix}\` in line ${lineOf(text, index)} ${obstacle}`;
  }
  return { mention: null, reason: reason ?? `the text has no \`${prefix}\`` };
}

interface Place {
  readonly index: number;
  readonly end: number;
}

const WORD = String.raw`[\p{L}\p{N}\p{M}]`;
/** Underscores are emphasis where no word goes on behind them. */
const INSIDE_BEFORE = new RegExp(`${WORD}_*$`, 'u');
/**
 * What joins words to one: `@agent-x`, `@agent.dev`, `@agent/team`, `@agent's`, `@agent\_x`. Source of the first three: GitHub's
 * mentions (html-pipeline, MentionFilter); of the apostrophe: UAX 29, which keeps it within a word.
 */
const INSIDE_AFTER = new RegExp(String.raw`(?:\\?[_.\-‐‑/@'’])*${WORD}`, 'uy');

function isWord(text: string, index: number, end: number): boolean {
  INSIDE_AFTER.lastIndex = end;
  return !INSIDE_AFTER.test(text) && !INSIDE_BEFORE.test(text.slice(Math.max(0, index - 100), index));
}

function whySilent(text: string, span: TextSpan | null, place: Place): string | null {
  if (span !== null) return `is in ${span.what}`;
  return isInQuotationMarks(text, place) ? 'is in quotation marks' : null;
}

const QUOTATION: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '“': '”',
  '”': '”',
  '„': '“”',
  '‘': '’',
  '‚': '‘’',
  '«': '»',
  '»': '«',
  '‹': '›',
  '「': '」',
  '『': '』',
};
/** Quotation marks that are farther apart belong to something else. */
const LONGEST_QUOTATION = 300;

/** `"@agent fix it"` says what one would say; in `"@agent" fix it` the marks are only around the name. */
function isInQuotationMarks(text: string, { index, end }: Place): boolean {
  const mark = text[index - 1] ?? '';
  const closing = Object.hasOwn(QUOTATION, mark) ? (QUOTATION[mark] ?? '') : '';
  if (closing === '' || !/^[\s([{*_~>]?$/.test(text.slice(Math.max(0, index - 2), index - 1))) return false;
  const behind = text.slice(end, end + LONGEST_QUOTATION).split(/\n[ \t]*\n/, 1)[0] ?? '';
  const close = behind.search(new RegExp(`[${closing}]`));
  return close >= 0 && /[\p{L}\p{N}]/u.test(behind.slice(0, close));
}

/** Punctuation that ends or closes, and marks of emphasis, directly behind the prefix or a word. */
const TRAILING = /[\p{Pe}\p{Pf}\p{Po}\p{Pd}*_~`+=|]*/uy;
const NOT_WORD = /[^\p{L}\p{N}]*/uy;
const WORD_BEHIND = new RegExp(String.raw`${WORD}+(?:\\?[_.\-‐‑/@'’:+]+${WORD}+)*`, 'uy');

function read(text: string, spans: readonly TextSpan[], { index, end }: Place): Mention {
  const isFirst = !/[\p{L}\p{N}]/u.test(spokenBefore(text, spans, index));
  const behind = skipTrailing(text, spans, end);
  const afterPrefix = text.slice(behind).trim();
  const reached = skip(text, spans, { from: behind, pattern: NOT_WORD });
  const span = spans[firstEndingBehind(spans, reached)];
  const isSpoken = span === undefined || span.from > reached;
  // A command is often written as code: `@agent \`review\` it`.
  const from = span?.what === 'a code span' ? reached + matchAt(NOT_WORD, text, reached).length : reached;
  const word = isSpoken || span.what === 'a code span' ? matchAt(WORD_BEHIND, text, from) : '';
  if (word === '') return { index, word, afterWord: afterPrefix, afterPrefix, isFirst };
  const afterWord = text.slice(skipTrailing(text, spans, from + word.length)).trim();
  return { index, word: word.toLowerCase(), afterWord, afterPrefix, isFirst };
}

function spokenBefore(text: string, spans: readonly TextSpan[], index: number): string {
  let result = '';
  let at = 0;
  for (const { from, to } of spans) {
    if (from >= index) break;
    result += text.slice(at, from);
    at = to;
  }
  return result + text.slice(at, index);
}

/** Behind closing punctuation and what is not shown, where a blank or the end follows; else behind what is not shown alone. */
function skipTrailing(text: string, spans: readonly TextSpan[], from: number): number {
  const behind = skip(text, spans, { from, pattern: TRAILING });
  return /^(?:\s|$)/.test(text.slice(behind, behind + 1)) || behind === from
    ? behind
    : skipOpening(text, spans, from);
}

/** `@agent、see`: the punctuation between goes; `@agent (see)`: a bracket that opens stays. */
function skipOpening(text: string, spans: readonly TextSpan[], from: number): number {
  return skip(text, spans, { from, pattern: /[\p{Pe}\p{Pf}*_~.,;:!?…、。，；：！？]*/uy });
}

/** Goes on over what the pattern takes and over hidden spans, by turns. */
function skip(
  text: string,
  spans: readonly TextSpan[],
  { from, pattern }: { readonly from: number; readonly pattern: RegExp },
): number {
  let at = from;
  for (let index = firstEndingBehind(spans, from); ; index += 1) {
    const span = spans[index];
    if (span !== undefined && span.from <= at && span.kind === 'hidden') {
      at = span.to;
      continue;
    }
    const next = span === undefined || span.from <= at ? text.length : span.from;
    at = Math.min(next, at + matchAt(pattern, text, at).length);
    if (at < next || span?.kind !== 'hidden') return at;
    index -= 1;
  }
}

/** Index of the first span that ends behind a position; `spans` are in order. */
function firstEndingBehind(spans: readonly TextSpan[], position: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.to ?? 0) > position) high = middle;
    else low = middle + 1;
  }
  return low;
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
