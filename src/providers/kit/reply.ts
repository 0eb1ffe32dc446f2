import { failure } from '../../errors.ts';
import type { JsonValue } from '../../types.ts';

/** The JSON of an answer; null when it is none: a proxy's page, or one that was cut. */
export function answerJson({ text }: { readonly text: string }): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return null;
  }
}

/**
 * A path below an API's address from ids that came in a payload. Each is one segment: `/` is escaped, and what a URL
 * parser would take for a step upwards is refused (`bad_place`).
 */
export function apiPath(...segments: readonly (string | null | undefined)[]): string {
  return segments.map((segment) => `/${encodeSegment(segment)}`).join('');
}

function encodeSegment(segment: string | null | undefined): string {
  if (segment === null || segment === undefined || segment === '' || /^\.{1,2}$/.test(segment)) {
    throw failure('bad_place', `there is nowhere to send it: ${JSON.stringify(segment ?? null)} is no id`);
  }
  return encodeURIComponent(segment);
}
