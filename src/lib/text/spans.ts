import type { TextSpan } from '../../types/text.ts';

/** The spans in order, none inside another: where two overlap, the one that begins first counts. */
export function inOrder(spans: readonly TextSpan[]): readonly TextSpan[] {
  const sorted = spans.toSorted((left, right) => left.from - right.from || right.to - left.to);
  const result: TextSpan[] = [];
  let covered = 0;
  for (const span of sorted) {
    if (span.to <= covered) continue;
    result.push(span.from < covered ? { ...span, from: covered } : span);
    covered = span.to;
  }
  return result;
}

/** The text with these spans blanked, character for character; line ends stay. */
export function withoutSpans(text: string, spans: readonly TextSpan[]): string {
  let result = '';
  let at = 0;
  for (const { from, to } of spans) {
    result += text.slice(at, from) + text.slice(from, to).replace(/[^\n]/g, ' ');
    at = to;
  }
  return result + text.slice(at);
}

/** The stretches between the spans (in order, none inside another): what is spoken. */
export function gaps(
  spans: readonly TextSpan[],
  length: number,
): readonly { readonly from: number; readonly to: number }[] {
  const result: { from: number; to: number }[] = [];
  let at = 0;
  for (const { from, to } of spans) {
    if (from > at) result.push({ from: at, to: from });
    at = to;
  }
  if (at < length) result.push({ from: at, to: length });
  return result;
}

/** Looks spans up by position, for positions that only grow; `spans` are in order. */
export function spanFinder(spans: readonly TextSpan[]): (position: number) => TextSpan | null {
  let index = 0;
  return (position) => {
    while (index < spans.length && (spans[index]?.to ?? 0) <= position) index += 1;
    const span = spans[index];
    return span !== undefined && span.from <= position ? span : null;
  };
}
