import type { TextSpan } from '../../types/text.ts';

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
