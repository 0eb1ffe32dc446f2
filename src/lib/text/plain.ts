import type { TextSpan } from '../../types/text.ts';

/** In a text without markup lines with `>` before them are quoted mail. */
export function plainSpans(text: string): readonly TextSpan[] {
  return [...text.matchAll(/^[ \t]{0,3}>.*/gm)].map(({ index, 0: line }) => ({
    kind: 'quoted',
    from: index,
    to: index + line.length,
    what: 'a quote',
  }));
}
