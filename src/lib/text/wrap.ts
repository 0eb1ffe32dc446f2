import stringWidth from 'string-width';

/** Lines that end between words, all but the first moved in by `hang`. A word wider than a line has one of its own. */
export function wrap(words: readonly string[], width: number, hang = ''): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || stringWidth(longer) <= width) {
      line = longer;
      continue;
    }
    lines.push(line);
    line = hang + word;
  }
  return line === '' ? lines : [...lines, line];
}
