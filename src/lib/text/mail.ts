import type { TextSpan } from '../../types/text.ts';
import { MAIL_DIVIDERS, MAIL_FIELDS, MAIL_OPENINGS, MAIL_WROTE, type MailField } from './mail-words.ts';
import { spanFinder } from './spans.ts';

/** A longer line introduces nothing. */
const LONGEST_LINE = 400;
/** Lines that one header may take. */
const LONGEST_BLOCK = 8;
const LONGEST_SENTENCE = 3;
const ADDRESS = /[\w.+-]{1,100}@[\w-]{1,100}/;
const NAMED_ADDRESS = /<[^<>\s@]{1,100}@[^<>\s]{1,200}>/;
/** Marks of direction, which mail programs put around addresses in texts from right to left. */
const DIRECTION = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const CLOCK = /\d{1,2}[:.h]\d{2}/;
const YEAR = /\b\d{4}\b|\d年/;
const TIME = /\d{1,2}[:.h]\d{2}|\b(?:19|20)\d{2}\b|\d{1,2}[./-]\d{1,2}[./-]\d{2}|\d年/;

interface MailLine {
  /** Without the marks of emphasis around labels; empty when it is blank, too long, or in a quote, code or comment. */
  readonly text: string;
  readonly from: number;
  readonly to: number;
  readonly isQuoted: boolean;
  readonly isBlank: boolean;
}

/**
 * Mail that is quoted below a header, without marks. A header above a marked quote (`>`) introduces that quote alone;
 * above anything else it takes the rest of the text. `spans` are those of the dialect, in order.
 */
export function mailSpans(text: string, spans: readonly TextSpan[]): readonly TextSpan[] {
  const lines = linesOf(text, spans);
  const headers: TextSpan[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const header = headerAt(lines, index);
    if (header === null) continue;
    const from = lines[header.first]?.from ?? 0;
    let below = header.last + 1;
    while (lines[below]?.isBlank === true) below += 1;
    if (lines[below]?.isQuoted !== true) {
      return [...headers, { kind: 'quoted', from, to: text.length, what: 'quoted mail' }];
    }
    headers.push({ kind: 'quoted', from, to: lines[header.last]?.to ?? from, what: 'quoted mail' });
    index = below;
  }
  return headers;
}

function linesOf(text: string, spans: readonly TextSpan[]): readonly MailLine[] {
  const spanAt = spanFinder(spans);
  const lines: MailLine[] = [];
  let from = 0;
  while (from <= text.length) {
    const end = text.indexOf('\n', from);
    const to = end < 0 ? text.length : end;
    const line = text.slice(from, to);
    const isBlank = line.trim() === '';
    const span = isBlank ? null : spanAt(from + line.length - line.trimStart().length);
    // An address in angle brackets may begin the second line of a sentence.
    const isPlain = span === null || span.what === 'an address';
    const mayIntroduce = isPlain && !isBlank && line.length <= LONGEST_LINE;
    lines.push({
      text: mayIntroduce ? withoutMarks(line) : '',
      from,
      to,
      isQuoted: span?.kind === 'quoted',
      isBlank,
    });
    from = to + 1;
  }
  return lines;
}

function withoutMarks(line: string): string {
  return line
    .replace(DIRECTION, '')
    .replace(/[*_]{1,3}(?=[\p{L}])|(?<=[\p{L}:：])[*_]{1,3}/gu, '')
    .trim();
}

interface Header {
  readonly first: number;
  readonly last: number;
}

function headerAt(lines: readonly MailLine[], index: number): Header | null {
  const { text } = lines[index] ?? { text: '' };
  if (text === '') return null;
  if (isDivider(text)) return { first: index, last: index };
  return fieldsAt(lines, index) ?? sentenceEndingAt(lines, index);
}

/** `-----Original Message-----`, `Begin forwarded message:`. */
function isDivider(line: string): boolean {
  const [, dashes = '', words = ''] = /^([-–—#= ]*)(.*?)[-–—#=: ]*$/.exec(line) ?? [];
  const known = words.toLowerCase();
  return (dashes.trim().length > 1 && MAIL_DIVIDERS.has(known)) || MAIL_OPENINGS.has(known);
}

/** Fields below each other, as `From:` and `Sent:`, in one language. */
function fieldsAt(lines: readonly MailLine[], first: number): Header | null {
  if (fieldsOf(lines[first]?.text ?? '').length === 0) return null;
  const block: string[] = [];
  for (let index = first; index < first + LONGEST_BLOCK && lines[index]?.text; index += 1) {
    block.push(lines[index]?.text ?? '');
  }
  const fields = block.flatMap((line) => fieldsOf(line));
  const isHeader = fields.some(
    ({ language, field, value }) =>
      field === 'from' &&
      isMail(
        value,
        fields.filter((other) => other.language === language),
      ),
  );
  return isHeader ? { first, last: first + block.length - 1 } : null;
}

/** `From: the staging log` alone is none, `From: Ada <ada@acme.example>` is, and so is a name with a date or subject below it. */
function isMail(sender: string, fields: readonly { readonly field: MailField }[]): boolean {
  if (NAMED_ADDRESS.test(sender) && sender.endsWith('>')) return true;
  const has = (wanted: MailField) => fields.some(({ field }) => field === wanted);
  if (!/\p{L}/u.test(sender)) return false;
  const signs = [ADDRESS.test(sender), has('date'), has('to') || has('subject')].filter(Boolean);
  // `From: 1.2.0` above `To: 1.3.0` is no mail.
  return has('sent') || (signs.length > 1 && (ADDRESS.test(sender) || has('date')));
}

function fieldsOf(line: string) {
  const [, label = '', value = ''] = /^([^:：]{1,30}?)\s?[:：]\s*(.*)$/.exec(line) ?? [];
  const known = MAIL_FIELDS.get(label.toLowerCase()) ?? [];
  return known.map(({ language, field }) => ({ language, field, value }));
}

/** `On Monday at 10:00, Ada wrote:`, which mail programs break into up to three lines; this one is the last. */
function sentenceEndingAt(lines: readonly MailLine[], last: number): Header | null {
  if (!/[:：]$/.test(lines[last]?.text ?? '')) return null;
  let sentence = '';
  for (let first = last; first > last - LONGEST_SENTENCE && lines[first]?.text; first -= 1) {
    sentence = `${lines[first]?.text} ${sentence}`.trim();
    if (isIntroduction(sentence.replace(/：$/, ':'))) return { first, last };
  }
  return null;
}

/** Machines name an address or a time; `On Friday Bob wrote:` is what a person writes above a quote. */
function isIntroduction(sentence: string): boolean {
  const hasTime = TIME.test(sentence);
  if (hasTime && /@\S{1,200}>\s?:$/.test(sentence)) return true;
  // A name with its address, a year and a time of day above what follows: no person writes that, in whatever language.
  if (NAMED_ADDRESS.test(sentence) && CLOCK.test(sentence) && YEAR.test(sentence)) return true;
  const isExact = ADDRESS.test(sentence) || (hasTime && /,|\d[:.h]\d{2}/.test(sentence));
  return MAIL_WROTE.some(
    ({ begin, verb }) =>
      verb.test(sentence) && (NAMED_ADDRESS.test(sentence) || (begin.test(sentence) && isExact)),
  );
}
