import { escapeInvisible, escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';

/** Where an untrusted text comes from: payload path (`issue.title`) or `@argument`, and who wrote it. */
interface FenceLabel {
  readonly source: string;
  /** null: the payload does not say; shown as `unknown`. */
  readonly author: string | null;
}

const MAX_LABEL = 120;

/** Anything that looks like one of our marks, with any nonce. */
const MARK = /<(?=\s*\/?\s*untrusted)/gi;

/**
 * Puts text from outside between marks that it cannot write itself, since it does not know the nonce (128 random
 * bits, made anew for each render): `<untrusted-3f… source="issue.title" author="octocat">…</untrusted-3f…>`.
 * Hidden characters are shown, and a guess at a mark loses its `<`. The fence tells an agent what is data; it is no
 * guarantee that the agent obeys.
 */
export function fence(text: string, label: FenceLabel, nonce: string): string {
  const source = sanitiseLabel(label.source);
  const author = sanitiseLabel(label.author ?? 'unknown');
  const inside = escapeInvisible(text).replace(MARK, '‹');
  return `<untrusted-${nonce} source="${source}" author="${author}">${inside}</untrusted-${nonce}>`;
}

/** Names and paths come from outside as well: on one line, without what ends an attribute or a mark. */
function sanitiseLabel(label: string): string {
  return shorten(escapeInvisibleLine(label).replace(/["'<>`]/g, ''), MAX_LABEL);
}
