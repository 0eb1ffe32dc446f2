import { LONGEST_TEXT, type Markup, textSpans } from './index.ts';
import { withoutSpans } from './spans.ts';

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
