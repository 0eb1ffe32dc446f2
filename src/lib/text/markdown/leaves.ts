import type { TextSpan } from '../../../types/text.ts';
import { definitionAt } from './links.ts';

/** What a dialect of Markdown adds or leaves out. */
export interface MarkdownDialect {
  /** False: HTML is shown as text. */
  readonly html: boolean;
  /** Whether `>>>` begins and ends a quote of several lines. */
  readonly fencedQuotes: boolean;
  /** How dollars set formulas apart; null when they are text. */
  readonly math: 'github' | 'gitlab' | null;
}

/** Stretches of the text, `from` and `to` by turns: the lines of a block without the marks before them. */
export type Parts = readonly number[];

export type Leaf =
  | { readonly kind: 'text' | 'html'; readonly parts: Parts }
  /** A container, heading or cell begins, or ends: HTML elements that were opened in it end with it. */
  | { readonly kind: 'begin' | 'end' };

export interface Blocks {
  /** In their order. */
  readonly leaves: readonly Leaf[];
  readonly spans: readonly TextSpan[];
  /** Normalised labels of links. */
  readonly definitions: ReadonlySet<string>;
  readonly footnotes: readonly Footnote[];
}

export interface Footnote {
  /** What refers to it: `[^1]`. */
  readonly mark: string;
  readonly from: number;
  readonly to: number;
}

/** The lines of a block as one text. */
export function joined(text: string, parts: Parts): string {
  if (parts.length === 2) return text.slice(parts[0], parts[1]);
  const lines: string[] = [];
  for (let index = 0; index < parts.length; index += 2)
    lines.push(text.slice(parts[index], parts[index + 1]));
  return lines.join('\n');
}

/** An open container while the lines are read. */
export interface Container {
  readonly kind: 'quote' | 'fenced-quote' | 'item' | 'footnote';
  /** Columns that the content is indented by; of a fenced quote the length of its fence. */
  readonly size: number;
  /** Nothing is in it yet: a blank line ends such an item. */
  isEmpty: boolean;
  /** Of a footnote. */
  readonly mark: string;
  readonly from: number;
}

/** The leaf that is open while the lines are read. */
export type OpenLeaf =
  /** `indent` is that of its last line. */
  | { readonly kind: 'paragraph'; parts: number[]; indent: number }
  | { readonly kind: 'table' }
  /** `fence` is empty in indented code. */
  | { readonly kind: 'code'; readonly fence: string; readonly indent: number }
  | { readonly kind: 'html'; readonly type: number; readonly parts: number[] };

/** A paragraph without the link definitions at its beginning: their labels, where they end, and the lines that are left. */
export function withoutDefinitions(
  text: string,
  parts: number[],
): { readonly labels: readonly string[]; readonly to: number; readonly rest: number[] } {
  const labels: string[] = [];
  if (text[parts[0] ?? -1] !== '[') return { labels, to: 0, rest: parts };
  const content = joined(text, parts);
  let at = 0;
  for (let found = definitionAt(content, at); found !== null; found = definitionAt(content, at)) {
    labels.push(found.label);
    at = found.end;
  }
  const lines = at === 0 ? 0 : content.slice(0, at).split('\n').length - (content[at - 1] === '\n' ? 1 : 0);
  return { labels, to: parts[2 * lines - 1] ?? 0, rest: parts.slice(2 * lines) };
}
