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

/** Part of a text that is made of a document, with what it is where its writer does not say it. */
export interface Piece {
  readonly text: string;
  readonly mark?: Pick<TextSpan, 'kind' | 'what'>;
}

/** A text that is made of a document, with its spans: what the reader of a text in a dialect has to find out. */
export interface MarkedText {
  readonly text: string;
  readonly textFormat: readonly TextSpan[];
}

export function joinPieces(pieces: readonly Piece[]): MarkedText {
  const spans: TextSpan[] = [];
  let at = 0;
  for (const { text, mark } of pieces) {
    if (mark !== undefined && text !== '') spans.push({ ...mark, from: at, to: at + text.length });
    at += text.length;
  }
  return { text: pieces.map(({ text }) => text).join(''), textFormat: spans };
}

/** The text of the pieces as one piece, which is all of one kind. */
export function marked(
  pieces: readonly Piece[],
  mark: Piece['mark'],
  change = (text: string) => text,
): Piece {
  const text = change(pieces.map((piece) => piece.text).join(''));
  return mark === undefined ? { text } : { text, mark };
}

/** Lists of pieces with a separator between them. */
export function separated(lists: readonly (readonly Piece[])[], separator: string): readonly Piece[] {
  return lists.flatMap((pieces, index) =>
    index === 0 || separator === '' ? pieces : [{ text: separator }, ...pieces],
  );
}
