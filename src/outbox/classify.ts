import { STATUS_CODES } from 'node:http';
import { escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
import type { CallAnswer, ReplyChannel, Sent } from '../types.ts';
import { retryAfterMs } from './retry-after.ts';

const REASON_LENGTH = 200;

/** Statuses that say "not now". A 5xx may have done it before it failed; these have not. */
const NOT_NOW = [408, 425, 429, 503];

/** What an answer means: the provider's own word first, else by its status. */
export function classify(
  answer: CallAnswer,
  channel: Pick<ReplyChannel, 'classify' | 'postedId'> | null,
  now: number,
): Sent {
  const told = channel?.classify?.(answer) ?? byStatus(answer, channel);
  if (told.result !== 'again' || told.afterMs !== null) return told;
  return { ...told, afterMs: retryAfterMs(answer.headers, now) };
}

function byStatus(answer: CallAnswer, channel: Pick<ReplyChannel, 'postedId'> | null): Sent {
  const { status } = answer;
  if (status >= 200 && status < 300) return { result: 'done', id: channel?.postedId(answer) ?? null };
  const reason = sentence(answer);
  if (NOT_NOW.includes(status) || status >= 500) {
    return { result: 'again', reason, afterMs: null, certain: NOT_NOW.includes(status) };
  }
  return { result: 'refused', reason };
}

/** `404 Not Found: …`, with the beginning of what the provider says. */
function sentence({ status, headers, text }: CallAnswer): string {
  const name = `${status} ${STATUS_CODES[status] ?? ''}`.trim();
  if (status >= 300 && status < 400)
    return `${name}: it redirects to ${headers.location ?? 'nowhere'}, which is not followed`;
  const said = escapeInvisibleLine(text.startsWith('<') ? '' : text);
  return shorten(said === '' ? name : `${name}: ${said}`, REASON_LENGTH);
}
