import type { TextSpan } from '../../../types/text.ts';
import {
  type Blocks,
  type Container,
  type Footnote,
  type Leaf,
  type MarkdownDialect,
  type OpenLeaf,
  type Parts,
  withoutDefinitions,
} from './leaves.ts';
import { Line } from './line.ts';
import {
  ATX_HEADING,
  CLOSING_FENCE,
  CODE_FENCE,
  cellsOf,
  delimiterColumns,
  endsAtBlankLine,
  endsHtmlBlock,
  FOOTNOTE,
  htmlBlockKind,
  listMarker,
  QUOTE_FENCE,
  SETEXT_UNDERLINE,
  THEMATIC_BREAK,
} from './starts.ts';

/** Deeper containers are not read: each line is compared with every container it is in. */
const DEEPEST = 40;

/** The blocks of a Markdown text. Takes time in proportion to its length. */
export function readBlocks(text: string, dialect: MarkdownDialect): Blocks {
  const scanner = new BlockScanner(text, dialect);
  let from = 0;
  for (const { index, 0: mark } of text.matchAll(/\r\n?|\n/g)) {
    scanner.read(from, index);
    from = index + mark.length;
  }
  scanner.read(from, text.length);
  return scanner.end();
}

/** What began in a line: a container, behind which more may begin, or a leaf that took the rest of the line. */
type Started = 'container' | 'leaf' | null;

/**
 * CommonMark's own algorithm for blocks ("Appendix: A parsing strategy", phase 1), as far as it tells quotes and code from text.
 * No library serves here: their time grows with the square of the length of some texts, or they do not keep positions.
 */
class BlockScanner {
  private readonly text: string;
  private readonly dialect: MarkdownDialect;
  private readonly leaves: Leaf[] = [];
  private readonly spans: TextSpan[] = [];
  private readonly definitions = new Set<string>();
  private readonly footnotes: Footnote[] = [];
  private readonly containers: Container[] = [];
  /** How many of the containers are quotes. */
  private quotes = 0;
  private leaf: OpenLeaf | null = null;
  /** Of the line that is read: how many containers go on, whether the open leaf does, and whether the rest is closed. */
  private matched = 0;
  private leafMatched = false;
  private isClosed = false;
  /** Where the line's quote begins; -1 before it does. */
  private quotedFrom = -1;
  /** Where the line before ends. */
  private before = 0;

  constructor(text: string, dialect: MarkdownDialect) {
    this.text = text;
    this.dialect = dialect;
  }

  read(from: number, end: number): void {
    const line = new Line(this.text, from, end);
    this.quotedFrom = -1;
    if (!this.matchContainers(line) && !this.matchLeaf(line)) this.readRest(line);
    this.before = end;
    if (this.quotes === 0) return;
    if (this.quotedFrom >= 0) this.mark('quoted', this.quotedFrom, end, 'a quote');
    else this.mark('quoted', line.at, end, LAZY_QUOTE);
  }

  end(): Blocks {
    this.closeTo(0);
    const { leaves, spans, definitions, footnotes } = this;
    return { leaves, spans, definitions, footnotes };
  }

  /** Which open containers the line continues. True: it was the end of a fenced quote. */
  private matchContainers(line: Line): boolean {
    this.matched = 0;
    for (const container of this.containers) {
      const { next, indent, isBlank, rest } = line.peek();
      if (container.kind === 'fenced-quote') {
        if (this.quotedFrom < 0) this.quotedFrom = line.at;
        if (indent < 4 && (QUOTE_FENCE.exec(rest)?.[0].length ?? 0) >= container.size) {
          this.mark('quoted', this.quotedFrom, line.end, 'a quote');
          this.closeTo(this.matched);
          return true;
        }
      } else if (container.kind === 'quote') {
        if (indent > 3 || this.text[next] !== '>' || isBlank) break;
        this.enterQuote(line, next, indent);
      } else if (isBlank && !container.isEmpty) {
        line.skipTo(next, indent);
      } else if (!isBlank && indent >= container.size) {
        line.skipColumns(container.size);
      } else {
        break;
      }
      this.matched += 1;
    }
    return false;
  }

  private enterQuote(line: Line, next: number, indent: number): void {
    if (this.quotedFrom < 0) this.quotedFrom = next;
    line.skipTo(next, indent);
    line.skip(1);
    line.skipColumns(1);
  }

  /** Whether the line continues the open leaf. True: it was the end of a fence. */
  private matchLeaf(line: Line): boolean {
    const { leaf } = this;
    const { next, indent, isBlank, rest } = line.peek();
    this.leafMatched = false;
    if (leaf !== null && this.matched === this.containers.length) {
      if (leaf.kind === 'code' && leaf.fence !== '') {
        const fence = indent < 4 ? (CLOSING_FENCE.exec(rest)?.[0] ?? '') : '';
        if (fence.startsWith(leaf.fence)) {
          this.markCode(next, line.end);
          this.leaf = null;
          return true;
        }
        line.skipColumns(leaf.indent);
        this.leafMatched = true;
      } else if (leaf.kind === 'code') {
        this.leafMatched = indent >= 4 || isBlank;
        if (this.leafMatched) line.skipColumns(4);
      } else if (leaf.kind === 'html') {
        this.leafMatched = !isBlank || !endsAtBlankLine(leaf.type);
      } else {
        this.leafMatched = !isBlank;
      }
    }
    this.isClosed = this.matched === this.containers.length && (leaf === null || this.leafMatched);
    return false;
  }

  private readRest(line: Line): void {
    const { leaf } = this;
    if (this.leafMatched && leaf?.kind === 'code') {
      this.markCode(line.at, line.end);
      return;
    }
    if (this.leafMatched && leaf?.kind === 'html') {
      this.addHtml(leaf, line);
      return;
    }
    let started: Started;
    do started = this.begin(line);
    while (started === 'container');
    if (started === null) this.addText(line);
  }

  /** Begins what the rest of the line begins. The order is CommonMark's. */
  private begin(line: Line): Started {
    const { indent, isBlank, rest } = line.peek();
    if (isBlank) return null;
    if (indent >= 4) return this.beginIndentedCode(line);
    return (
      this.beginQuote(line, rest) ??
      this.beginHeading(line, rest) ??
      this.beginFence(line, rest) ??
      this.beginHtml(line, rest) ??
      this.beginBreak(rest) ??
      this.beginItem(line, rest) ??
      this.beginFootnote(line, rest) ??
      this.beginRow(line, rest)
    );
  }

  private get inParagraph(): boolean {
    return this.leafMatched && this.leaf?.kind === 'paragraph';
  }

  private beginIndentedCode(line: Line): Started {
    if (this.leaf?.kind === 'paragraph') return null;
    line.skipColumns(4);
    this.openLeaf({ kind: 'code', fence: '', indent: 0 });
    this.markCode(line.at, line.end);
    return 'leaf';
  }

  private beginQuote(line: Line, rest: string): Started {
    if (!rest.startsWith('>')) return null;
    const { next, indent } = line.peek();
    const fence = this.dialect.fencedQuotes ? QUOTE_FENCE.exec(rest)?.[0] : undefined;
    if (!this.openContainer(line, fence === undefined ? 'quote' : 'fenced-quote', fence?.length ?? 0))
      return 'leaf';
    this.enterQuote(line, next, indent);
    return fence === undefined ? 'container' : 'leaf';
  }

  private beginHeading(line: Line, rest: string): Started {
    const mark = ATX_HEADING.exec(rest)?.[0];
    if (mark === undefined) return null;
    this.openLeaf(null);
    this.addClosedText([line.peek().next + mark.length, line.end]);
    return 'leaf';
  }

  private beginFence(line: Line, rest: string): Started {
    const fence = CODE_FENCE.exec(rest)?.[0];
    if (fence === undefined) return null;
    const { next, indent } = line.peek();
    this.openLeaf({ kind: 'code', fence, indent });
    this.markCode(next, line.end);
    return 'leaf';
  }

  private beginHtml(line: Line, rest: string): Started {
    const interrupts = this.leaf?.kind === 'paragraph';
    const type = this.dialect.html ? htmlBlockKind(rest, interrupts) : null;
    if (type === null) return null;
    const leaf = { kind: 'html', type, parts: [] } as const satisfies OpenLeaf;
    this.openLeaf(leaf);
    this.addHtml(leaf, line);
    return 'leaf';
  }

  /** An underline makes a heading of the paragraph above it; else a line of dashes is a break. */
  private beginBreak(rest: string): Started {
    if (this.inParagraph && SETEXT_UNDERLINE.test(rest) && this.leaf?.kind === 'paragraph') {
      this.takeDefinitions(this.leaf);
      const { parts } = this.leaf;
      if (parts.length > 0) {
        this.leaf = null;
        this.addClosedText(parts);
        return 'leaf';
      }
    }
    if (!THEMATIC_BREAK.test(rest)) return null;
    this.openLeaf(null);
    return 'leaf';
  }

  private beginItem(line: Line, rest: string): Started {
    const marker = listMarker(rest, this.inParagraph);
    if (marker === null) return null;
    const { next, indent } = line.peek();
    line.skipTo(next, indent);
    line.skip(marker.length);
    const behind = line.mark();
    const blanks = line.peek().indent;
    // More than four blanks are one and indented code; an item without text begins one behind its marker.
    const width = blanks > 4 || line.peek().isBlank ? 1 : blanks;
    line.skipColumns(width);
    const isOpen = this.openContainer(line, 'item', indent + marker.length + width);
    if (!isOpen) line.backTo(behind);
    return isOpen ? 'container' : 'leaf';
  }

  private beginFootnote(line: Line, rest: string): Started {
    const mark = FOOTNOTE.exec(rest)?.[0];
    if (mark === undefined) return null;
    const { next, indent } = line.peek();
    line.skipTo(next, indent);
    line.skip(mark.length);
    return this.openContainer(line, 'footnote', 4, mark.slice(0, -1)) ? 'container' : 'leaf';
  }

  /** A row below rows, or the delimiter row that makes a table's head of the line above it. */
  private beginRow(line: Line, rest: string): Started {
    const { leaf } = this;
    const { next } = line.peek();
    if (leaf?.kind === 'table' && this.leafMatched) {
      this.addCells(rest, next);
      return 'leaf';
    }
    if (leaf?.kind !== 'paragraph' || !this.leafMatched || leaf.indent > 3) return null;
    const [from = 0, to = 0] = leaf.parts.slice(-2);
    const head = this.text.slice(from, to);
    const columns = delimiterColumns(rest);
    if (columns === null || cellsOf(head, from).length !== columns) return null;
    leaf.parts.length -= 2;
    this.openLeaf({ kind: 'table' });
    this.addCells(head, from);
    return 'leaf';
  }

  private addCells(row: string, offset: number): void {
    for (const cell of cellsOf(row, offset)) this.addClosedText(cell);
  }

  /** A line in which nothing begins: text of the open paragraph, also of one that its marks do not continue, or of a new one. */
  private addText(line: Line): void {
    const { next, indent, isBlank } = line.peek();
    const isLazy = !this.isClosed && !isBlank && this.leaf?.kind === 'paragraph';
    if (!isLazy) this.closeUnmatched();
    if (isBlank) return;
    line.skipTo(next, indent);
    if (this.leaf?.kind === 'paragraph') {
      this.leaf.parts.push(next, line.end);
      this.leaf.indent = indent;
    } else {
      this.openLeaf({ kind: 'paragraph', parts: [next, line.end], indent });
    }
  }

  private addHtml(leaf: Extract<OpenLeaf, { kind: 'html' }>, line: Line): void {
    leaf.parts.push(line.at, line.end);
    if (endsHtmlBlock(leaf.type, this.text.slice(line.at, line.end))) this.closeLeaf();
  }

  /** Closes what the line does not continue, and the open leaf; another leaf may take its place. */
  private openLeaf(leaf: OpenLeaf | null): void {
    this.closeUnmatched();
    this.closeLeaf();
    const container = this.containers.at(-1);
    if (container !== undefined) container.isEmpty = false;
    this.leaf = leaf;
  }

  /** False: it would be too deep; the rest of the line is left out. */
  private openContainer(line: Line, kind: Container['kind'], size: number, mark = ''): boolean {
    this.openLeaf(null);
    if (this.containers.length >= DEEPEST) {
      this.mark('hidden', line.at, line.end, `a part nested more than ${DEEPEST} deep`);
      return false;
    }
    this.containers.push({ kind, size, isEmpty: true, mark, from: line.at });
    if (kind === 'quote' || kind === 'fenced-quote') this.quotes += 1;
    this.leaves.push({ kind: 'begin' });
    this.matched = this.containers.length;
    this.leafMatched = false;
    return true;
  }

  private closeUnmatched(): void {
    if (!this.isClosed) this.closeTo(this.matched);
    this.isClosed = true;
  }

  private closeTo(depth: number): void {
    this.closeLeaf();
    while (this.containers.length > depth) {
      const { kind, mark = '', from = 0 } = this.containers.pop() ?? {};
      if (kind === 'footnote') this.footnotes.push({ mark, from, to: this.before });
      if (kind === 'quote' || kind === 'fenced-quote') this.quotes -= 1;
      this.leaves.push({ kind: 'end' });
    }
  }

  private closeLeaf(): void {
    const { leaf } = this;
    if (leaf?.kind === 'paragraph') this.takeDefinitions(leaf);
    if (leaf?.kind === 'paragraph' && leaf.parts.length > 0)
      this.leaves.push({ kind: 'text', parts: leaf.parts });
    if (leaf?.kind === 'html') this.leaves.push({ kind: 'html', parts: leaf.parts });
    this.leaf = null;
  }

  /** Takes the link definitions out of the beginning of a paragraph. */
  private takeDefinitions(paragraph: Extract<OpenLeaf, { kind: 'paragraph' }>): void {
    const [from = 0] = paragraph.parts;
    const { labels, rest, to } = withoutDefinitions(this.text, paragraph.parts);
    for (const label of labels) this.definitions.add(label);
    if (labels.length > 0 && this.quotes === 0) this.mark('hidden', from, to, 'the definition of a link');
    paragraph.parts = rest;
  }

  private addClosedText(parts: Parts): void {
    this.leaves.push({ kind: 'begin' }, { kind: 'text', parts }, { kind: 'end' });
  }

  private markCode(from: number, to: number): void {
    if (this.quotes === 0) this.mark('code', from, to, 'a code block');
  }

  /** Lines that follow each other are one span. */
  private mark(kind: TextSpan['kind'], from: number, to: number, what: string): void {
    const last = this.spans.at(-1);
    if (last?.what === what && from <= last.to + 2) this.spans[this.spans.length - 1] = { ...last, to };
    else if (from < to) this.spans.push({ kind, from, to, what });
  }
}

/** A line without `>` that goes on with the paragraph of the quote above it. */
const LAZY_QUOTE = 'the quote that the line above goes on with (an empty line ends it)';
