/** Letters, digits and punctuation of Latin scripts, of which each takes one column. */
const SIMPLE = /^[\x20-\x7e\xa1-\xac\xae-\u02ff\u2010-\u2027]*$/;

let measure: ((text: string) => number) | null = null;

/**
 * Loads what measures emoji and other scripts, when one of these texts needs it or none is given. Only then, because
 * its regular expressions take 30 ms to compile.
 */
export async function loadWidths(texts?: readonly string[]): Promise<void> {
  if (measure !== null || texts?.every((text) => SIMPLE.test(text)) === true) return;
  measure = (await import('string-width')).default;
}

/** Columns that a text takes on a terminal; exact for a text that `loadWidths` was given. */
export function widthOf(text: string): number {
  return measure === null || SIMPLE.test(text) ? text.length : measure(text);
}

/** Lines that end between words, all but the first moved in by `hang`. A word wider than a line gets its own line. */
export function wrap(words: readonly string[], width: number, hang = ''): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || widthOf(longer) <= width) {
      line = longer;
      continue;
    }
    lines.push(line);
    line = hang + word;
  }
  return line === '' ? lines : [...lines, line];
}
