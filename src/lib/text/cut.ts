const ELLIPSIS = '…';
/** Where a sentence, or at least a paragraph or list item, ends. */
const SENTENCE_END = /[.!?:;](?=\s)|[。！？]|\n/gu;

/**
 * The beginning of a text that fits into `limit` characters, cut behind the last whole sentence and marked with `…`;
 * in the middle of one only where a sentence alone is longer than half of the limit.
 */
export function cutAtSentence(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const room = text.slice(0, Math.max(0, limit - ELLIPSIS.length - 1));
  const ends = [...room.matchAll(SENTENCE_END)].map((match) => match.index + match[0].length);
  const end = ends.findLast((at) => at > room.length / 2) ?? room.length;
  const kept = room.slice(0, end).trimEnd().toWellFormed();
  return `${closeFence(kept)}${end === room.length ? '' : ' '}${ELLIPSIS}`;
}

/** A block of code that was cut open would swallow everything behind it, our own mark included. */
function closeFence(text: string): string {
  const fences = text.match(/^ {0,3}(?:```|~~~)/gm) ?? [];
  return fences.length % 2 === 0 ? text : `${text}\n${fences.at(-1)?.trim()}\n`;
}
