/**
 * The markup in which a text is written. It decides what counts as a quote or as code.
 *
 * `markdown`: GitHub Flavored Markdown, also that of Gitea, Forgejo and Sentry. `gitlab`: the same with `>>>` quotes.
 * `bitbucket`, `linear`: Markdown whose HTML is shown as text. `mrkdwn`: Slack, entities decoded. `jira-wiki`: Jira's wiki
 * markup. `plain`: no markup; only quoted mail is set apart.
 */
export const TEXT_FORMATS = [
  'markdown',
  'gitlab',
  'bitbucket',
  'linear',
  'mrkdwn',
  'jira-wiki',
  'plain',
] as const;
export type TextFormat = (typeof TEXT_FORMATS)[number];

/** Part of a text that its writer does not say: a quote, code, or what is not shown (comments, addresses of links). */
export interface TextSpan {
  readonly kind: 'quoted' | 'code' | 'hidden';
  /** Position of the first character. */
  readonly from: number;
  /** Position behind the last character. */
  readonly to: number;
  /** What it is, with its article, for people: `a code span`. */
  readonly what: string;
}

declare const POST_TEXT: unique symbol;
/**
 * The text of a post in which words of hookctl and of its configuration can be told from everybody else's: only those
 * may act where they are posted. Made by the functions below alone, so that no text from outside passes for an own one.
 */
export type PostText = string & { readonly [POST_TEXT]: true };

/** Noncharacters, which Unicode keeps for use inside a program: where own words begin and end. */
const OPEN = '\uFDD0';
const CLOSE = '\uFDD1';
const MARKS = /[\uFDD0\uFDD1]/g;

/** Words of hookctl itself or of its configuration. */
export function ownText(text: string): PostText {
  return `${OPEN}${foreignText(text)}${CLOSE}` as PostText;
}

/** Words of a payload, a sender or an agent. */
export function foreignText(text: string): PostText {
  return text.replace(MARKS, '') as PostText;
}

/** A notice: what is written is hookctl's own, what is put in is not. */
export function notice(own: TemplateStringsArray, ...foreign: readonly string[]): PostText {
  const parts = own.map((text, index) => ownText(text) + foreignText(foreign[index] ?? ''));
  return parts.join('') as PostText;
}

/** A rendering in which `printed` was put around each text from outside, as own words but for those. */
export function renderedText(render: (printed: (text: string) => string) => string): PostText {
  return `${OPEN}${render((text) => CLOSE + foreignText(text) + OPEN)}${CLOSE}` as PostText;
}

export function joinTexts(...texts: readonly PostText[]): PostText {
  return texts.join('') as PostText;
}

/** What people read. */
export function shownText(text: string): string {
  return text.replace(MARKS, '');
}

/** The text, and for each of its characters whether it is an own one. */
export function readPostText(marked: string): { readonly text: string; readonly isOwn: Uint8Array } {
  const text = shownText(marked);
  const isOwn = new Uint8Array(text.length);
  let own = 0;
  let at = 0;
  for (const piece of marked.split(/([\uFDD0\uFDD1])/)) {
    if (piece === OPEN) own = 1;
    else if (piece === CLOSE) own = 0;
    else {
      isOwn.fill(own, at, at + piece.length);
      at += piece.length;
    }
  }
  return { text, isOwn };
}
