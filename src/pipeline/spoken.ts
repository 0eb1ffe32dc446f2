/**
 * What a person says in a comment, as opposed to what they quote: quoted lines, code and the mail they answer are
 * blanked out, character for character, so that positions still fit the original text.
 */

/*
 * Whoever may comment chooses the text, and V8's engine backtracks: each run of marks is taken whole (`(?!`)`), or a
 * long one would be tried at every length and stop the process for seconds.
 */

/** A whole block, up to its end or the end of the text. A line with more backquotes behind the first is no fence. */
const FENCED_CODE =
  /^[ \t]*(`{3,}(?!`|[^\n]*`)|~{3,}(?!~))[^\n]*\n[\s\S]*?(?:^[ \t]*\1[`~]*[ \t]*$|$(?![\s\S]))/gm;
const INLINE_CODE = /(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/g;
const INDENTED_CODE = /(?<=^|\n[ \t]*\n)(?:(?: {4}|\t)[^\n]*(?:\n|$))+/g;
const QUOTED_LINE = /^[ \t]{0,3}>.*$/gm;
const HTML_COMMENT = /<!--[\s\S]*?(?:-->|$(?![\s\S]))/g;
/** `On Mon, 3 Nov 2026, Ada <ada@example.com> wrote:` and everything below it, as mail programs quote. */
const MAIL_REPLY = /^(?:On\b.{0,200}\bwrote:|-{2,} ?Original Message ?-{2,}|From: .{1,200})[ \t]*$[\s\S]*/im;

/** The text with everything that is not the writer's own speech blanked out; same length. */
export function spoken(text: string): string {
  return [FENCED_CODE, HTML_COMMENT, INLINE_CODE, QUOTED_LINE, INDENTED_CODE, MAIL_REPLY].reduce(
    (rest, pattern) => rest.replace(pattern, (match) => match.replace(/[^\n]/g, ' ')),
    text,
  );
}

/** Opens every comment that hookctl posts: what a token of a person's own posts can only be told by. */
export const OWN_POST_MARKER = '<!-- hookctl:';

/** Whether hookctl wrote this text itself. A quoted marker is somebody's answer to such a post. */
export function isOwnPost(text: string): boolean {
  return text.replace(FENCED_CODE, '').replace(QUOTED_LINE, '').includes(OWN_POST_MARKER);
}
