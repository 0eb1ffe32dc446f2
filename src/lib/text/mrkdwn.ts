import type { TextSpan } from '../../types/text.ts';

/**
 * What in a Slack message is quote or code. Entities are decoded already, so that a `>` that begins a line is a quote.
 * Source: docs.slack.dev, "Formatting message text": fences count anywhere in a line, inline code ends with its line, and
 * there is no HTML.
 */
export function mrkdwnSpans(text: string): readonly TextSpan[] {
  const spans: TextSpan[] = [];
  const closers = [...text.matchAll(/`(?![`\p{L}\p{N}])/gu)].map(({ index }) => index);
  const marks = /^[ \t]{0,3}>(?:>>)?|```|(?<![`\p{L}\p{N}])`(?!`)|\n/gmu;
  let closer = 0;
  let lastFence = text.lastIndexOf('```');
  for (let found = marks.exec(text); found !== null; found = marks.exec(text)) {
    const { index, 0: mark } = found;
    if (mark.endsWith('>')) {
      const to = mark.endsWith('>>>') ? text.length : lineEnd(text, index);
      spans.push({ kind: 'quoted', from: index, to, what: 'a quote' });
      marks.lastIndex = to;
      // A fence that a quote begins does not reach out of it.
      if (to > lastFence) lastFence = -1;
    } else if (mark === '```' && index + 3 <= lastFence) {
      const to = text.indexOf('```', index + 3) + 3;
      spans.push({ kind: 'code', from: index, to, what: 'a code block' });
      marks.lastIndex = to;
    } else if (mark === '`') {
      while (closer < closers.length && (closers[closer] ?? 0) <= index + 1) closer += 1;
      const end = closers[closer];
      if (end === undefined || end > lineEnd(text, index)) continue;
      spans.push({ kind: 'code', from: index, to: end + 1, what: 'a code span' });
      marks.lastIndex = end + 1;
    }
  }
  return spans;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}
