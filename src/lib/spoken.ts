/**
 * What a person says in a comment, as opposed to what they quote. Scanned by hand in one pass: the text is a
 * stranger's, and the regular expressions for it take seconds on 64 KB of backticks.
 */

/** The text with quotes, code, HTML comments and the mail it answers blanked out, character for character. */
export function spoken(text: string): string {
  return blankInlineCode(blankBlocks(blankHtmlComments(text)));
}

/** The text without quotes and code, hidden comments left in. */
export function unquoted(text: string): string {
  return blankInlineCode(blankBlocks(text));
}

/** Behind backticks no more backticks, else they are inline code (CommonMark 0.31, 4.5). */
const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/;
const INDENTED = /^(?: {4}|\t)/;
const QUOTE = /^ {0,3}>/;
/** How mail programs introduce what they quote: everything below is somebody else's. */
const MAIL_REPLY = /^(?:On\b.{0,200}\bwrote:|-{2,} ?Original Message ?-{2,}|From: .{1,200})\s*$/i;

interface Blocks {
  /** The characters that opened the code block we are in; null outside. */
  readonly fence: string | null;
  readonly inMail: boolean;
  /** An indented line is code only behind a blank one; elsewhere it continues a paragraph. */
  readonly afterBlank: boolean;
}

function blankBlocks(text: string): string {
  let blocks: Blocks = { fence: null, inMail: false, afterBlank: true };
  const lines = text.split('\n').map((line) => {
    const { next, keep } = step(blocks, line);
    blocks = next;
    return keep ? line : blank(line);
  });
  return lines.join('\n');
}

function step(blocks: Blocks, line: string): { readonly next: Blocks; readonly keep: boolean } {
  if (blocks.inMail || MAIL_REPLY.test(line)) return { next: { ...blocks, inMail: true }, keep: false };
  const marks = FENCE.exec(line)?.[1] ?? null;
  if (blocks.fence !== null) {
    const closes = marks?.startsWith(blocks.fence) === true && line.trim() === marks;
    return { next: { ...blocks, fence: closes ? null : blocks.fence, afterBlank: true }, keep: false };
  }
  if (marks !== null) return { next: { ...blocks, fence: marks }, keep: false };
  const isCode = blocks.afterBlank && INDENTED.test(line);
  const afterBlank = isCode || line.trim() === '';
  return { next: { ...blocks, afterBlank }, keep: !isCode && !QUOTE.test(line) };
}

/** Code spans as CommonMark has them: a run of backticks up to the next run of the same length (spec 0.31, 6.1). */
function blankInlineCode(text: string): string {
  let result = '';
  let at = 0;
  for (const { index, end } of codeSpans(text)) {
    if (index < at) continue;
    result += text.slice(at, index) + blank(text.slice(index, end));
    at = end;
  }
  return result + text.slice(at);
}

/** Every run of backticks that has a later one of its length; spans inside of others are among them. */
function codeSpans(text: string): readonly { readonly index: number; readonly end: number }[] {
  const runs = [...text.matchAll(/`+/g)].map(({ index, 0: { length } }) => ({ index, length }));
  const nextOfLength = new Map<number, number>();
  const spans = runs.toReversed().flatMap(({ index, length }) => {
    const closer = nextOfLength.get(length);
    nextOfLength.set(length, index);
    return closer === undefined ? [] : [{ index, end: closer + length }];
  });
  return spans.reverse();
}

function blankHtmlComments(text: string): string {
  return text.replace(/<!--[\s\S]*?(?:-->|$(?![\s\S]))/g, blank);
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}
