/** Links of Markdown: definitions, and what follows `](`. Source: CommonMark 0.31.2, 4.7 and 6.3. */

/** A longer address or title in a link is taken for text: each `](` must not be read to the end of the paragraph. */
const LONGEST = 2_000;
/** Parentheses within parentheses of an address; CommonMark asks for at least three, cmark allows this many. */
const DEEPEST_PARENTHESES = 32;
const LABEL = /\[((?:[^\\[\]]|\\[\s\S]){1,999})\]/y;
const BLANKS = /[ \t]*(?:\n[ \t]*)?/y;
const BRACKETED = new RegExp(String.raw`<(?:[^<>\n\\]|\\.){0,${LONGEST}}>`, 'y');
const TITLE = new RegExp(
  [
    String.raw`"(?:[^"\\]|\\[\s\S]){0,${LONGEST}}"`,
    String.raw`'(?:[^'\\]|\\[\s\S]){0,${LONGEST}}'`,
    String.raw`\((?:[^()\\]|\\[\s\S]){0,${LONGEST}}\)`,
  ].join('|'),
  'y',
);
const REST_OF_LINE = /[ \t]*(?:\n|$)/y;

interface Definition {
  readonly label: string;
  readonly end: number;
}

/** Labels are compared without case, and any blanks in them count as one. */
export function normalLabel(label: string): string {
  return label.trim().replace(/\s+/g, ' ').toLowerCase().toUpperCase();
}

/** The link definition (`[label]: address "title"`) at this position; null when there is none. */
export function definitionAt(text: string, at: number): Definition | null {
  const label = labelAt(text, at);
  if (label === null || text[label.end] !== ':') return null;
  const addressFrom = match(BLANKS, text, label.end + 1) ?? label.end + 1;
  const address = addressEnd(text, addressFrom);
  if (address === null) return null;
  const titleFrom = match(BLANKS, text, address) ?? address;
  const title = titleFrom > address ? match(TITLE, text, titleFrom) : null;
  const end =
    (title === null ? null : match(REST_OF_LINE, text, title)) ?? match(REST_OF_LINE, text, address);
  return end === null ? null : { label: normalLabel(label.text), end };
}

/** `[label]`: its text and the position behind it; null when it is none or blank. */
export function labelAt(text: string, at: number): { readonly text: string; readonly end: number } | null {
  LABEL.lastIndex = at;
  const label = LABEL.exec(text)?.[1];
  return label === undefined || label.trim() === '' ? null : { text: label, end: at + label.length + 2 };
}

/** Behind the `)` of what begins with the `(` at this position; null when it is no address of a link. */
export function inlineTargetEnd(text: string, at: number): number | null {
  const addressFrom = match(BLANKS, text, at + 1) ?? at + 1;
  if (text[addressFrom] === ')') return addressFrom + 1;
  const address = addressEnd(text, addressFrom);
  if (address === null) return null;
  const titleFrom = match(BLANKS, text, address) ?? address;
  const title = titleFrom > address ? match(TITLE, text, titleFrom) : null;
  const end = match(BLANKS, text, title ?? titleFrom) ?? titleFrom;
  return text[end] === ')' ? end + 1 : null;
}

/** Behind the address at this position: in angle brackets, or without blanks and with its parentheses in pairs. */
function addressEnd(text: string, from: number): number | null {
  if (text[from] === '<') return match(BRACKETED, text, from);
  let open = 0;
  let at = from;
  for (; at < text.length && at < from + LONGEST; at += 1) {
    const character = text[at] ?? '';
    if (character <= ' ' || character === '\x7f') break;
    if (character === '\\' && /[!-/:-@[-`{-~]/.test(text[at + 1] ?? '')) at += 1;
    else if (character === '(' && open === DEEPEST_PARENTHESES) return null;
    else if (character === '(') open += 1;
    else if (character === ')' && open === 0) break;
    else if (character === ')') open -= 1;
  }
  return at === from || open !== 0 ? null : Math.min(at, text.length);
}

function match(pattern: RegExp, text: string, at: number): number | null {
  pattern.lastIndex = at;
  const found = pattern.exec(text)?.[0];
  return found === undefined ? null : at + found.length;
}
