/**
 * The part of Markdown that agents write in replies, as blocks and spans, for providers that format otherwise. What it
 * does not know (tables, nested emphasis, HTML) stays text.
 */
export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly spans: readonly Span[] }
  | { readonly kind: 'code'; readonly language: string; readonly text: string }
  | {
      readonly kind: 'item';
      readonly ordered: boolean;
      readonly depth: number;
      readonly spans: readonly Span[];
    }
  | { readonly kind: 'quote'; readonly spans: readonly Span[] }
  | { readonly kind: 'rule' }
  /** Lines that belong together. */
  | { readonly kind: 'paragraph'; readonly lines: (readonly Span[])[] };

export type SpanStyle = 'plain' | 'bold' | 'italic' | 'strike' | 'code' | 'link';

export interface Span {
  readonly style: SpanStyle;
  readonly text: string;
  /** Of a link; empty otherwise. */
  readonly url: string;
}

/** A longer line is taken as it is: the expressions for spans take time that grows with its square. */
const LONGEST_STYLED_LINE = 1_000;
const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.+?)\s*#*$/;
const ITEM = /^(\s*)(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}>\s?(.*)$/;
const RULE = /^ {0,3}(?:-{3,}|\*{3,}|_{3,})\s*$/;
const SPAN =
  /(?<code>`+)(?<coded>[^`]+)\k<code>|\*\*(?<bold>[^*\s](?:[^*]*[^*\s])?)\*\*|~~(?<strike>[^~]+)~~|\[(?<label>[^\][]+)\]\((?<url>https?:\/\/[^\s)]+)\)|(?<![\w*])\*(?<italic>[^*\s](?:[^*]*[^*\s])?)\*(?![\w*])|(?<!\w)_(?<under>[^_\s](?:[^_]*[^_\s])?)_(?!\w)/g;

/** Never throws; every character of the text is in some block, but for the marks themselves. */
export function parseMarkdown(text: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const fence = FENCE.exec(line);
    if (fence?.[1] !== undefined) {
      const end = endOfFence(lines, at + 1, fence[1]);
      blocks.push({ kind: 'code', language: fence[2] ?? '', text: lines.slice(at + 1, end).join('\n') });
      at = end;
    } else {
      append(blocks, line, lines[at - 1] ?? '');
    }
  }
  return blocks;
}

function endOfFence(lines: readonly string[], from: number, mark: string): number {
  for (let at = from; at < lines.length; at += 1) {
    const line = lines[at]?.trim() ?? '';
    if (line.startsWith(mark) && /^[`~]+$/.test(line)) return at;
  }
  return lines.length;
}

function append(blocks: Block[], line: string, before: string): void {
  if (line.trim() === '') return;
  const block = blockOf(line);
  const last = blocks.at(-1);
  if (block.kind === 'paragraph' && last?.kind === 'paragraph' && before.trim() !== '') {
    last.lines.push(...block.lines);
  } else {
    blocks.push(block);
  }
}

function blockOf(line: string): Block {
  if (RULE.test(line)) return { kind: 'rule' };
  const heading = HEADING.exec(line);
  if (heading)
    return { kind: 'heading', level: heading[1]?.length ?? 1, spans: parseSpans(heading[2] ?? '') };
  const item = ITEM.exec(line);
  if (item) {
    const depth = 1 + Math.floor((item[1]?.length ?? 0) / 2);
    return {
      kind: 'item',
      ordered: item[2] !== undefined,
      depth: Math.min(depth, 6),
      spans: parseSpans(item[3] ?? ''),
    };
  }
  const quote = QUOTE.exec(line);
  if (quote) return { kind: 'quote', spans: parseSpans(quote[1] ?? '') };
  return { kind: 'paragraph', lines: [parseSpans(line)] };
}

function parseSpans(line: string): readonly Span[] {
  if (line.length > LONGEST_STYLED_LINE) return [plain(line)];
  const spans: Span[] = [];
  let from = 0;
  for (const match of line.matchAll(SPAN)) {
    if (match.index > from) spans.push(plain(line.slice(from, match.index)));
    spans.push(styled(match.groups ?? {}));
    from = match.index + match[0].length;
  }
  if (from < line.length) spans.push(plain(line.slice(from)));
  return spans;
}

function styled(groups: Readonly<Record<string, string | undefined>>): Span {
  const { coded, bold, strike, label, url = '', italic, under } = groups;
  if (coded !== undefined) return { style: 'code', text: coded, url: '' };
  if (bold !== undefined) return { style: 'bold', text: bold, url: '' };
  if (strike !== undefined) return { style: 'strike', text: strike, url: '' };
  if (label !== undefined) return { style: 'link', text: label, url };
  return { style: 'italic', text: italic ?? under ?? '', url: '' };
}

function plain(text: string): Span {
  return { style: 'plain', text, url: '' };
}

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
  /** `line` is in the markup already, as all below; `plain`: without its styles. */
  heading(line: string, about: { readonly level: number; readonly plain: string }): string;
  code(text: string): string;
  item(line: string, place: { readonly ordered: boolean; readonly depth: number }): string;
  quote(line: string): string;
  readonly rule: string;
}

/** Markdown in another markup. */
export function markupOf(markup: Markup, markdown: string): string {
  const blocks = parseMarkdown(markdown).map((block) => {
    switch (block.kind) {
      case 'heading':
        return markup.heading(lineIn(markup, block.spans), {
          level: block.level,
          plain: markup.escape(block.spans.map(({ text }) => text).join('')),
        });
      case 'code':
        return markup.code(block.text);
      case 'item':
        return markup.item(lineIn(markup, block.spans), block);
      case 'quote':
        return markup.quote(lineIn(markup, block.spans));
      case 'rule':
        return markup.rule;
      case 'paragraph':
        return `${block.lines.map((spans) => lineIn(markup, spans)).join('\n')}\n`;
      default:
        return block satisfies never;
    }
  });
  return blocks.join('\n');
}

function lineIn(markup: Markup, spans: readonly Span[]): string {
  const pieces = spans.map(({ style, text, url }) => {
    const safe = markup.escape(text);
    if (style === 'plain') return safe;
    if (style === 'link') return markup.link(safe, url);
    const [before, after] = markup.marks[style];
    return before + safe + after;
  });
  return pieces.join('');
}
