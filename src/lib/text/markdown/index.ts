import type { TextFormat, TextSpan } from '../../../types/text.ts';
import { readBlocks } from './blocks.ts';
import { HtmlState, htmlSpans } from './html.ts';
import { inlineSpans } from './inline.ts';
import { joined, type Leaf, type MarkdownDialect, type Parts } from './leaves.ts';

/**
 * Sources: GFM 0.29 (GitHub; Gitea's goldmark and Sentry's renderer take the same marks); docs.gitlab.com, "GitLab Flavored
 * Markdown"; Bitbucket ("Markdown syntax guide") and Linear show HTML as text.
 */
const DIALECTS = {
  markdown: { html: true, fencedQuotes: false, math: 'github' },
  gitlab: { html: true, fencedQuotes: true, math: 'gitlab' },
  bitbucket: { html: false, fencedQuotes: false, math: null },
  linear: { html: false, fencedQuotes: false, math: null },
} as const satisfies Partial<Record<TextFormat, MarkdownDialect>>;

/** What in a Markdown text is not spoken by its writer, in any order. */
export function markdownSpans(text: string, format: keyof typeof DIALECTS): readonly TextSpan[] {
  const dialect = DIALECTS[format];
  const { leaves, spans, definitions, footnotes } = readBlocks(text, dialect);
  const html = dialect.html ? new HtmlState() : null;
  const depths: number[] = [];
  const references = new Set<string>();
  const read = (leaf: Leaf): readonly TextSpan[] => {
    switch (leaf.kind) {
      case 'begin':
        depths.push(html?.depth ?? 0);
        return [];
      case 'end':
        html?.closeTo(depths.pop() ?? 0);
        return [];
      case 'html':
        return html === null ? [] : placed(htmlSpans(joined(text, leaf.parts), html), leaf.parts);
      case 'text':
        return placed(
          inlineSpans(joined(text, leaf.parts), { html, math: dialect.math, definitions, references }),
          leaf.parts,
        );
      default:
        return leaf satisfies never;
    }
  };
  const inner = leaves.flatMap(read);
  // GFM shows a footnote only where the text refers to it.
  const unused = footnotes.filter(({ mark }) => !references.has(mark.toLowerCase()));
  return [
    ...spans,
    ...inner,
    ...unused.map(
      ({ from, to }) => ({ kind: 'hidden', from, to, what: 'a footnote that nothing refers to' }) as const,
    ),
  ];
}

/** Spans in the joined lines of a block, as spans of the whole text. */
function placed(spans: readonly TextSpan[], parts: Parts): readonly TextSpan[] {
  if (spans.length === 0) return spans;
  const lines = lineStarts(parts);
  return spans.map((span) => ({
    ...span,
    from: inText(span.from, lines, parts),
    // The end belongs to the last character, not to what begins behind it.
    to: inText(Math.max(span.to - 1, span.from), lines, parts) + Math.min(1, span.to - span.from),
  }));
}

/** Where each line begins in the joined text. */
function lineStarts(parts: Parts): readonly number[] {
  const starts: number[] = [];
  let at = 0;
  for (let index = 0; index < parts.length; index += 2) {
    starts.push(at);
    at += (parts[index + 1] ?? 0) - (parts[index] ?? 0) + 1;
  }
  return starts;
}

function inText(position: number, starts: readonly number[], parts: Parts): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= position) low = middle;
    else high = middle - 1;
  }
  return (parts[2 * low] ?? 0) + position - (starts[low] ?? 0);
}
