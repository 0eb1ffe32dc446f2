/**
 * One line of a Markdown text while its block marks are read: counts columns, because a tab reaches to the next multiple of four
 * (CommonMark 0.31, 2.2).
 */
export class Line {
  readonly text: string;
  /** Behind its last character, the line end left out. */
  readonly end: number;
  /** What is not read yet begins here. */
  at: number;
  column = 0;
  /** The tab at `at` was read in part: some of its columns still count as indentation. */
  private insideTab = false;

  constructor(text: string, from: number, end: number) {
    this.text = text;
    this.at = from;
    this.end = end;
  }

  /** The next character that is no blank, the columns before it, and the rest from there on. */
  peek(): {
    readonly next: number;
    readonly indent: number;
    readonly isBlank: boolean;
    readonly rest: string;
  } {
    let next = this.at;
    let column = this.column;
    for (; next < this.end; next += 1) {
      const code = this.text.charCodeAt(next);
      if (code === SPACE) column += 1;
      else if (code === TAB) column += 4 - (column % 4);
      else break;
    }
    return {
      next,
      indent: column - this.column,
      isBlank: next === this.end,
      rest: this.text.slice(next, this.end),
    };
  }

  /** Goes on to a position, which is `indent` columns away. */
  skipTo(next: number, indent: number): void {
    this.at = next;
    this.column += indent;
    this.insideTab = false;
  }

  /** Goes on by characters that are no tabs. */
  skip(characters: number): void {
    this.at += characters;
    this.column += characters;
    this.insideTab = false;
  }

  /** Goes on by at most so many columns of blanks. */
  skipColumns(columns: number): void {
    let left = columns;
    while (left > 0 && this.isAtBlank()) {
      if (this.text.charCodeAt(this.at) === SPACE) {
        this.skip(1);
        left -= 1;
        continue;
      }
      const width = 4 - (this.column % 4);
      const taken = Math.min(width, left);
      this.column += taken;
      left -= taken;
      this.insideTab = taken < width;
      if (!this.insideTab) this.at += 1;
    }
  }

  isAtBlank(): boolean {
    const code = this.at < this.end ? this.text.charCodeAt(this.at) : 0;
    return code === SPACE || code === TAB;
  }

  mark(): { readonly at: number; readonly column: number; readonly insideTab: boolean } {
    return { at: this.at, column: this.column, insideTab: this.insideTab };
  }

  backTo({ at, column, insideTab }: ReturnType<Line['mark']>): void {
    this.at = at;
    this.column = column;
    this.insideTab = insideTab;
  }
}

const SPACE = 0x20;
const TAB = 0x09;
