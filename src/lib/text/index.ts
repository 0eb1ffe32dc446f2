import type { TextFormat, TextSpan } from '../../types/text.ts';
import { jiraWikiSpans } from './jira-wiki.ts';
import { mailSpans } from './mail.ts';
import { markdownSpans } from './markdown/index.ts';
import { mrkdwnSpans } from './mrkdwn.ts';
import { gaps, inOrder, withoutSpans } from './spans.ts';

/** In a text without markup lines with `>` before them are quoted mail. */
function plainSpans(text: string): readonly TextSpan[] {
  return [...text.matchAll(/^[ \t]{0,3}>.*/gm)].map(({ index, 0: line }) => ({
    kind: 'quoted',
    from: index,
    to: index + line.length,
    what: 'a quote',
  }));
}

/**
 * The longest text in which commands are looked for, in UTF-16 units: GitLab's limit for a description, the largest of the services
 * that hookctl reads.
 */
export const LONGEST_TEXT = 1_048_576;

/** How a text is written: in a dialect, or with its spans already told, because it was made of a document (ADF, rich text). */
export type Markup = TextFormat | readonly TextSpan[];

/**
 * What in a text its writer does not say: quotes, code, what is not shown, mail that is answered. In order, none inside another.
 * Takes time in proportion to the length of the text.
 */
export function textSpans(text: string, markup: Markup): readonly TextSpan[] {
  const marked = inOrder(typeof markup === 'string' ? dialectSpans(text, markup) : markup);
  return inOrder([...marked, ...addressSpans(text, marked), ...mailSpans(text, marked)]);
}

function dialectSpans(text: string, format: TextFormat): readonly TextSpan[] {
  switch (format) {
    case 'markdown':
    case 'gitlab':
    case 'bitbucket':
    case 'linear':
      return markdownSpans(text, format);
    case 'mrkdwn':
      return mrkdwnSpans(text);
    case 'jira-wiki':
      return jiraWikiSpans(text);
    case 'plain':
      return plainSpans(text);
    default:
      return format satisfies never;
  }
}

const ADDRESS = /(?<![\p{L}\p{N}+.-])(?:[a-z][a-z0-9+.-]{0,31}:\/\/|www\.)[^\s<]*/giu;

/** Addresses that a text names without marks: `https://medium.example/@agent` is no mention. */
function addressSpans(text: string, spans: readonly TextSpan[]): readonly TextSpan[] {
  if (!/:\/\/|www\./i.test(text)) return [];
  return gaps(spans, text.length).flatMap(({ from, to }) =>
    [...text.slice(from, to).matchAll(ADDRESS)].map(
      ({ index, 0: address }): TextSpan => ({
        kind: 'hidden',
        from: from + index,
        to: from + index + address.length,
        what: 'an address',
      }),
    ),
  );
}

/** What a person says in a text, with all else blanked, character for character. Empty for a text that is too long to look at. */
export function stripQuoted(text: string, markup: Markup = 'markdown'): string {
  return text.length > LONGEST_TEXT ? '' : withoutSpans(text, textSpans(text, markup));
}

/** The text without quotes and code; comments and the like are left in, for those who look for a mark. */
export function unquoted(text: string, markup: Markup = 'markdown'): string {
  if (text.length > LONGEST_TEXT) return text;
  return withoutSpans(
    text,
    textSpans(text, markup).filter(({ kind }) => kind !== 'hidden'),
  );
}
