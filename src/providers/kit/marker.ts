/**
 * The mark in everything that hookctl posts: by it a post is found again before it is sent a second time, and only by
 * it a post under a person's own token can be told from what that person wrote.
 */

/** How the mark begins where comments of HTML are hidden. */
export const OWN_POST_MARKER = '<!-- hookctl:';

/** An id of the outbox behind the name; Jira escapes the hyphen when it turns its own format into wiki text. */
const MARK = /hookctl:out\\?-[0-9a-hjkmnp-tv-z]{16}(?![0-9a-z])/;

/** For Markdown: not shown. */
export function hiddenMarker(id: string): string {
  return `${OWN_POST_MARKER}${id} -->`;
}

/** For places that show every text: short, without characters that a wiki could change. */
export function plainMarker(id: string): string {
  return `hookctl:${id}`;
}

/** Whether a text carries the mark of this outgoing id. */
export function hasMarker(text: string, id: string): boolean {
  return text.replaceAll('\\', '').includes(plainMarker(id));
}

/** Whether a post is by the account that looks for it; an API that names no author, or not the account, leaves it open. */
export function isBy(account: string | null, author: string | null): boolean {
  return account === null || author === null || account === author;
}

/** Whether a text carries the mark of any hookctl. */
export function isMarked(text: string): boolean {
  return text.includes(OWN_POST_MARKER) || MARK.test(text);
}
