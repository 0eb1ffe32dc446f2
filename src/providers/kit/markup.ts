import type { Span } from './markdown.ts';

/** What a piece of text is written between; bold and the like have the same mark on both sides. */
type Marks = Readonly<
  Record<'bold' | 'italic' | 'strike' | 'code', readonly [before: string, after: string]>
>;

/** A markup that is not Markdown. */
export interface Markup {
  readonly marks: Marks;
  /** Takes every meaning from text that came from outside. */
  escape(text: string): string;
  /** `text` is escaped already. */
  link(text: string, url: string): string;
}

/** One line of text in another markup. */
export function lineIn(markup: Markup, spans: readonly Span[]): string {
  const pieces = spans.map(({ style, text, url }) => {
    const safe = markup.escape(text);
    if (style === 'plain') return safe;
    if (style === 'link') return markup.link(safe, url);
    const [before, after] = markup.marks[style];
    return before + safe + after;
  });
  return pieces.join('');
}
